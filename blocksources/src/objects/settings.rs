//! Who one is for a store, and where it is.

use std::fmt;

/// Who one is for a store, where it is and how it is asked: names and values as the
/// `object_store` crate knows them, such as `aws_access_key_id`, `aws_endpoint`,
/// `google_service_account`, `azure_storage_account_name` and `allow_http`, in any case.
/// Each kind of store passes over those that it does not know.
#[derive(Clone, Default)]
pub struct ObjectSettings {
    pub(super) pairs: Vec<(String, String)>,
}

impl FromIterator<(String, String)> for ObjectSettings {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().collect() }
    }
}

impl fmt::Debug for ObjectSettings {
    /// Without the values, which may be secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}
