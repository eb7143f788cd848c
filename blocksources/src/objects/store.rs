//! The store that a URL names.

use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{ObjectStore, RetryConfig};
use url::Url;

use super::transport::Connector;
use crate::http::options::HttpOptions;

/// Opens the store of `url`, and tells the object's path in it. What is wrong with the
/// URL or the settings is told in words.
pub(super) fn open(
    url: &str,
    settings: &[(String, String)],
    options: HttpOptions,
    retry: RetryConfig,
) -> Result<(Box<dyn ObjectStore>, Path), String> {
    let url = Url::parse(url).map_err(|_| "it is not a valid URL".to_owned())?;
    if url.host_str().is_none_or(str::is_empty) || url.query().is_some() || url.fragment().is_some() {
        return Err("it does not have the form scheme://bucket/key; write ? as %3F and # as %23".into());
    }
    let path = Path::from_url_path(url.path()).map_err(|error| error.to_string())?;
    if path.as_ref().is_empty() {
        return Err("it names a bucket, and no object in it".into());
    }
    let connector = Connector { options };
    // Each kind of store passes over the settings of the others.
    macro_rules! build {
        ($builder:ty) => {{
            let builder = <$builder>::new().with_url(url.as_str()).with_http_connector(connector).with_retry(retry);
            let builder =
                settings.iter().fold(builder, |builder, (key, value)| match key.to_ascii_lowercase().parse() {
                    Ok(key) => builder.with_config(key, value),
                    Err(_) => builder,
                });
            builder.build().map(|store| Box::new(store) as Box<dyn ObjectStore>)
        }};
    }
    let store = match url.scheme() {
        "s3" => build!(AmazonS3Builder),
        "gs" => build!(GoogleCloudStorageBuilder),
        "az" => build!(MicrosoftAzureBuilder),
        _ => return Err("it is not an s3, gs or az URL".into()),
    };
    Ok((store.map_err(|error| error.to_string())?, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_settings_are_checked_first() {
        let settings = [("AWS_REGION", "eu-north-1"), ("azure_storage_account_name", "me"), ("unknown", "x")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()));
        let open = |url| open(url, &settings, HttpOptions::default(), RetryConfig::default());
        for (url, path) in [("s3://bucket/a%20b/c", "a b/c"), ("gs://bucket/x", "x"), ("az://container/x", "x")] {
            let (store, found) = open(url).unwrap();
            assert_eq!(found, Path::from(path), "{url}");
            assert!(store.to_string().contains(if url.starts_with("az") { "container" } else { "bucket" }), "{store}");
        }
        for url in
            ["s3://bucket", "s3://bucket/", "s3:///x", "s3://bucket/x?y", "s3://bucket/x#y", "http://host/x", "x"]
        {
            assert!(open(url).is_err(), "{url}");
        }
    }
}
