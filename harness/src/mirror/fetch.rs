//! Filling the store from the lock: each file is found on the package index's page of its project, fetched, and checked.

use futures_util::{StreamExt, TryStreamExt, stream};
use url::Url;

use super::content::Content;
use super::incoming::Incoming;
use super::lock::Package;
use super::upstream::{self, Answer};
use super::{FixturesError, Inner, StoreError};
use crate::outcome::with_causes;

/// The public package index; `PIP_INDEX_URL` names another.
const INDEX: &str = "https://pypi.org/simple/";
/// Files fetched at once.
const AT_ONCE: usize = 4;

/// Fetches what the store lacks of the lock, or has in another length; with `thorough` also what is damaged otherwise.
pub(super) async fn fill(
    inner: &Inner,
    thorough: bool,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<usize, FixturesError> {
    let mut missing: Vec<&Package> = Vec::new();
    for package in &inner.lock.packages {
        let whole = inner.store.has(&package.sha256, package.size)?
            && (!thorough || matches!(inner.read(&package.sha256).await, Ok(Some(_))));
        if !whole {
            missing.push(package);
        }
    }
    if missing.is_empty() {
        return Ok(0);
    }
    if inner.offline {
        return Err(FixturesError::Offline { missing: missing.iter().map(|package| package.file.clone()).collect() });
    }
    let index = index();
    stream::iter(missing.iter().map(|package| async {
        let failed = |why: String| FixturesError::Fetch { file: package.file.clone(), why };
        let content = content(inner, &index, package).await.map_err(failed)?;
        inner.store.put_expected(content, &package.sha256).map_err(|error| failed(with_causes(&error)))?;
        progress(&format!("downloaded {}", package.file));
        Ok::<(), FixturesError>(())
    }))
    .buffer_unordered(AT_ONCE)
    .try_collect::<Vec<()>>()
    .await?;
    Ok(missing.len())
}

/// Fetches a file that the store had, and for this reason has no more; or says both why.
pub(super) async fn again(inner: &Inner, package: &Package, why: &str) -> Result<Content, String> {
    if inner.offline {
        return Err(format!("{why}; --offline forbids downloading it"));
    }
    let file = content(inner, &index(), package).await.map_err(|error| format!("{why}; {error}"))?;
    let failed = |error: StoreError| format!("{why}; downloaded again: {}", with_causes(&error));
    inner.store.put_expected(file, &package.sha256).map_err(failed)?;
    let found = inner.read(&package.sha256).await.map_err(failed)?;
    found.ok_or_else(|| format!("{why}; downloaded again, and removed again"))
}

fn index() -> String {
    std::env::var("PIP_INDEX_URL").ok().filter(|url| !url.is_empty()).unwrap_or_else(|| INDEX.to_owned())
}

async fn content(inner: &Inner, index: &str, package: &Package) -> Result<Incoming, String> {
    let page = format!("{}/{}/", index.trim_end_matches('/'), package.project);
    let accept = "application/vnd.pypi.simple.v1+json, text/html;q=0.1";
    let answer = get(inner, &page, accept).await?;
    let text = answer.content.text().map_err(|error| error.to_string())?;
    let address =
        address(&answer.url, &text, &package.file).ok_or_else(|| format!("the index page {page} does not list it"))?;
    Ok(get(inner, address.as_str(), "*/*").await?.content)
}

async fn get(inner: &Inner, url: &str, accept: &str) -> Result<Answer, String> {
    let answer = upstream::get(inner, url, accept).await?;
    if answer.status.is_success() { Ok(answer) } else { Err(format!("{url} answered {}", answer.status)) }
}

/// The address of a file on a project's page, of either form, resolved against the page's own address.
fn address(base: &Url, page: &str, file: &str) -> Option<Url> {
    if let Ok(json) = serde_json::from_str::<serde_json::Value>(page) {
        let found = json["files"].as_array()?.iter().find(|entry| entry["filename"] == file)?;
        return base.join(found["url"].as_str()?).ok();
    }
    let links = page.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c))?;
        rest[1..].split(quote).next()
    });
    links
        .map(|link| link.replace("&amp;", "&"))
        .filter_map(|link| base.join(&link).ok())
        .find(|address| address.path_segments().and_then(Iterator::last) == Some(file))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_both_forms_and_resolved_against_the_page() {
        let base = Url::parse("http://index.test/root/simple/six/").unwrap();
        let json = r#"{"files":[{"filename":"six-1.whl","url":"../../files/six-1.whl"}]}"#;
        let html = r#"<a href="other.whl">x</a> <a class='y' href="../../files/six-1.whl#sha256=00">six</a>"#;
        for page in [json, html] {
            let found = address(&base, page, "six-1.whl").unwrap();
            assert_eq!(found.path(), "/root/files/six-1.whl");
            assert_eq!(address(&base, page, "seven-1.whl"), None);
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_index_page_can_be_looked_into(page in r#"(<a href=["']?[ -~]{0,30}["']?>|[{}\[\]":,a-z\u{e4}]{0,10}|"files"){0,6}"#) {
            let base = Url::parse("http://index.test/simple/six/").unwrap();
            address(&base, &page, "six-1.whl");
        }
    }
}
