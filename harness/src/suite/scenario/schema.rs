//! The JSON schema of scenario files. Its descriptions are the doc comments of the tables in `table/`.

use serde_json::Value;

use super::table::ScenarioFile;

/// The JSON schema of a scenario file, as text that ends in a newline.
pub(crate) fn schema() -> String {
    format!("{:#}\n", value())
}

/// The same, to be walked through.
pub(super) fn value() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let mut value = settings.into_generator().into_root_schema_for::<ScenarioFile>().to_value();
    without_null(&mut value);
    value
}

/// TOML has no null: an optional key is there or is not.
fn without_null(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|name| name != "null");
                if types.len() == 1 {
                    let only = types.remove(0);
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
                choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
                if let [Value::Object(only)] = choices.as_slice() {
                    let only = only.clone();
                    object.remove("anyOf");
                    object.extend(only);
                }
            }
            object.values_mut().for_each(without_null);
        }
        Value::Array(values) => values.iter_mut().for_each(without_null),
        _ => {}
    }
}
