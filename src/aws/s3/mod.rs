//! A blocking S3 client: lists objects, reads them as streams, and writes new ones.

mod body;
mod silence;
mod url;
mod wait;

use std::error::Error as StdError;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::ConfigLoader;
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{RequestChecksumCalculation, StalledStreamProtectionConfig};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::EncodingType;
use tokio::sync::mpsc;

use super::connect::{ConnectSettings, Session};
use super::error::Error;
use super::permissions::{Action, MissingPermission};
use super::retry::RetriedCalls;
use super::runtime::Threads;
use super::s3_policy::{S3Access, S3Need};
pub use body::S3Body;
use body::{Parts, send_all};
use silence::Silence;
use url::decoded;
pub use url::{InvalidS3Url, S3Url};
use wait::{Waiting, Waits};

/// How many chunks of an object, of some 16 KiB each, are read ahead.
const AHEAD: usize = 32;

/// Error codes of a bucket in another region.
const WRONG_REGION: [&str; 4] = [
    "PermanentRedirect",
    "TemporaryRedirect",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
];

/// An object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
}

/// S3 with one set of credentials. Calls block their thread, which must not be one of tokio's.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    session: Arc<Session>,
    threads: Arc<Threads>,
    denied: Arc<Mutex<Vec<MissingPermission>>>,
    silence: Silence,
    waits: Waits,
}

impl S3 {
    /// Finds credentials and region. With an endpoint, the bucket's name goes into the path.
    ///
    /// # Errors
    /// Those of [`Session::open`], and of the operating system.
    pub fn connect(settings: &ConnectSettings) -> Result<Self, Error> {
        Self::connect_by(|| Box::pin(Session::open(settings)))
    }

    /// [`Self::connect`] with a loader, which must have an HTTP client; for example for other credentials.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub fn connect_with(settings: &ConnectSettings, loader: ConfigLoader) -> Result<Self, Error> {
        Self::connect_by(|| Box::pin(Session::open_with(settings, loader)))
    }

    fn connect_by<F>(open: impl FnOnce() -> F) -> Result<Self, Error>
    where
        F: Future<Output = Result<Session, Error>>,
    {
        let threads = Threads::start().map_err(Error::Threads)?;
        let session = threads.block_on(open())?;
        let config = aws_sdk_s3::config::Builder::from(&session.config_of("S3"))
            .force_path_style(session.endpoint("S3").is_some())
            // `send_all` has its own time limit, and resumes.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Some S3-compatible services do not know the newer checksums.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        Ok(Self {
            client: Client::from_conf(config),
            session: Arc::new(session),
            threads: Arc::new(threads),
            denied: Arc::default(),
            silence: Silence::default(),
            waits: Waits::default(),
        })
    }

    /// What a command needs that does this with these objects.
    pub fn need(&self, at: &S3Url, access: S3Access) -> S3Need {
        S3Need {
            bucket: bucket_arn(&self.session, at),
            key: at.key.clone(),
            access,
        }
    }

    /// Sets a function to call with what is waited for, once for each action, when that takes more than some seconds.
    #[must_use]
    pub fn on_wait(mut self, on_wait: fn(&str)) -> Self {
        self.waits = Waits::new(on_wait);
        self
    }

    fn waiting(&self, action: Action, at: &S3Url) -> Waiting {
        self.waits.begin(&self.threads, action, at, self.session.limit)
    }

    /// The permissions that were denied so far.
    pub fn missing_permissions(&self) -> Vec<MissingPermission> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The objects whose keys begin with the URL's key, in the byte order of their keys.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn list(&self, at: &S3Url) -> Result<Vec<S3Object>, Error> {
        let _waiting = self.waiting(Action::ListBucket, at);
        self.threads.block_on(self.list_all(at))
    }

    /// Whether objects below the URL can be listed; there need be none.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn can_list(&self, at: &S3Url) -> Result<(), Error> {
        let action = Action::ListBucket;
        let request = self.client.list_objects_v2().bucket(&at.bucket).prefix(&at.key);
        let request = request.max_keys(1);
        let call = || async {
            let page = request.clone().send().await;
            page.map(drop).map_err(|error| self.explain(action, at, &error))
        };
        self.threads.block_on(Box::pin(self.call(action, at, call)))
    }

    /// Makes a call as a step of its own, unless S3 did not answer another one.
    async fn call<T, F>(&self, action: Action, at: &S3Url, call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut calls = RetriedCalls::new(action, self.session.limit);
        self.silence.call(&at.bucket, &mut calls, call).await
    }

    async fn list_all(&self, at: &S3Url) -> Result<Vec<S3Object>, Error> {
        let action = Action::ListBucket;
        let mut calls = RetriedCalls::new(action, self.session.limit);
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            // URL-encoded, since keys may contain characters that XML cannot.
            let request = self.client.list_objects_v2().bucket(&at.bucket).prefix(&at.key);
            let request = request
                .encoding_type(EncodingType::Url)
                .set_continuation_token(token);
            let call = || async {
                let page = request.clone().send().await;
                let page = page.map_err(|error| self.explain(action, at, &error))?;
                // S3 always sends this; a response without it is something else.
                let is_truncated = page.is_truncated.ok_or(Error::Unreadable(action))?;
                Ok((
                    listed(&page)?,
                    page.next_continuation_token.filter(|_| is_truncated),
                ))
            };
            let (page, next) = self.silence.call(&at.bucket, &mut calls, call).await?;
            objects.extend(page);
            if next.is_none() {
                break;
            }
            if next == *request.get_continuation_token() {
                return Err(Error::Unreadable(action));
            }
            token = next;
        }
        objects.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(objects)
    }

    /// Starts to read an object, without waiting.
    pub fn begin(&self, at: &S3Url) -> S3Body {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let body = S3Body::new(receiver, self.clone(), at.clone());
        let (parts, at) = (self.parts(), at.clone());
        let denied = Arc::clone(&self.denied);
        self.threads.spawn(async move {
            let end = Box::pin(send_all(&parts, &at, &sender)).await;
            record(&denied, end.as_ref().err());
            // The reader may be gone.
            drop(sender.send(end.map(|()| Vec::new())).await);
        });
        body
    }

    fn parts(&self) -> Parts {
        Parts {
            client: self.client.clone(),
            session: Arc::clone(&self.session),
            silence: self.silence.clone(),
        }
    }

    /// Opens an object and waits for its first bytes.
    ///
    /// # Errors
    /// Those of AWS; later ones are errors of reading.
    pub fn read(&self, at: &S3Url) -> Result<S3Body, Error> {
        self.begin(at).opened()
    }

    /// Reads a whole object.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn bytes(&self, at: &S3Url) -> Result<Vec<u8>, Error> {
        self.begin(at).whole()
    }

    /// Writes an object; false if one with this key exists, which is unchanged. After a broken connection it may be
    /// the new one.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn put_new(&self, at: &S3Url, bytes: &[u8]) -> Result<bool, Error> {
        let action = Action::PutObject;
        let call = || async {
            let request = self.client.put_object().bucket(&at.bucket).key(&at.key);
            let request = request.if_none_match("*").body(ByteStream::from(bytes.to_vec()));
            let sent = request
                .customize()
                .config_override(step_timeout(&self.session))
                .send()
                .await;
            match sent {
                Ok(_) => Ok(true),
                Err(error) if error.code() == Some("PreconditionFailed") => Ok(false),
                Err(error) => Err(self.explain(action, at, &error)),
            }
        };
        let _waiting = self.waiting(action, at);
        self.threads.block_on(Box::pin(self.call(action, at, call)))
    }

    fn explain<E>(&self, action: Action, at: &S3Url, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let error = explain(&self.session, action, at, error);
        record(&self.denied, Some(&error));
        error
    }
}

fn bucket_arn(session: &Session, at: &S3Url) -> String {
    format!("arn:{}:s3:::{}", session.partition(), at.bucket)
}

fn record(denied: &Mutex<Vec<MissingPermission>>, error: Option<&Error>) {
    let mut denied = denied.lock().unwrap_or_else(PoisonError::into_inner);
    denied.extend(error.and_then(Error::missing_permission));
}

/// An attempt may take as long as the step, since objects may be large.
fn step_timeout(session: &Session) -> aws_sdk_s3::config::Builder {
    let limit = TimeoutConfig::builder().operation_attempt_timeout(session.limit);
    aws_sdk_s3::config::Builder::default().timeout_config(limit.build())
}

/// The objects of a page.
fn listed(page: &ListObjectsV2Output) -> Result<Vec<S3Object>, Error> {
    let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
    let objects = page.contents().iter().map(|object| {
        let key = object.key().unwrap_or("");
        let plain = || Some(key.to_owned());
        let key = if is_encoded { decoded(key) } else { plain() };
        let size = object.size().and_then(|size| u64::try_from(size).ok());
        Ok(S3Object {
            key: key.ok_or(Error::Unreadable(Action::ListBucket))?,
            size: size.unwrap_or(0),
        })
    });
    objects.collect()
}

/// Classifies an error by its code.
fn explain<E>(session: &Session, action: Action, at: &S3Url, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let response = error.raw_response();
    let status = response.map_or(0, |response| response.status().as_u16());
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("NoSuchBucket") => Error::NoBucket(at.bucket.clone()),
        Some("NoSuchKey") => Error::NoObject,
        Some("InvalidObjectState") => Error::Archived,
        code if [301, 307].contains(&status) || code.is_some_and(|code| WRONG_REGION.contains(&code)) => {
            let region = response.and_then(|response| response.headers().get("x-amz-bucket-region"));
            let region = region.map_or("another region".to_owned(), |region| format!("region {region}"));
            Error::WrongRegion(at.bucket.clone(), region)
        }
        Some(_) | None => {
            let object = if action == Action::ListBucket {
                String::new()
            } else {
                format!("/{}", at.key)
            };
            let arn = bucket_arn(session, at) + &object;
            session.explain(action, error).with_resource(Some(arn))
        }
    }
}
