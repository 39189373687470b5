//! Checks that an answer has what it must have. Where a required element is missing, the SDK puts an empty one in its place, and a
//! list that was cut away would be read as a list of nothing.

use aws_sdk_iam::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_iam::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;

/// Refuses successful answers without these elements.
#[derive(Clone, Copy, Debug)]
pub(super) struct WholeAnswer(pub(super) &'static [&'static str]);

/// An element is missing.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer has no {0}")]
struct Missing(&'static str);

impl Intercept for WholeAnswer {
    fn name(&self) -> &'static str {
        "WholeAnswer"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        // Only now is the whole body here.
        let response = context.response();
        if !response.status().is_success() {
            return Ok(());
        }
        let body = response.body().bytes().unwrap_or_default();
        let has = |element: &&'static str| {
            let open = format!("<{element}");
            let follows = |at: usize| {
                body.get(at + open.len())
                    .is_some_and(|byte| b"> /\t\r\n".contains(byte))
            };
            memchr::memmem::find_iter(body, &open).any(follows)
        };
        match self.0.iter().find(|element| !has(element)) {
            Some(missing) => Err(Missing(missing).into()),
            None => Ok(()),
        }
    }
}
