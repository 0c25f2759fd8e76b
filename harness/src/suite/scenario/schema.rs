//! The JSON schema of scenario files. Its descriptions are the doc comments of the tables in `table/`.

use super::table::ScenarioFile;

/// The JSON schema of a scenario file, as text that ends in a newline.
pub fn schema() -> String {
    let schema =
        schemars::generate::SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<ScenarioFile>();
    let mut value = schema.to_value();
    without_null(&mut value);
    format!("{value:#}\n")
}

/// TOML has no null: an optional key is there or is not.
fn without_null(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(object) => {
            if let Some(serde_json::Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if types.len() == 1 {
                    let only = types.remove(0);
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(serde_json::Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [serde_json::Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(without_null),
        _ => {}
    }
}
