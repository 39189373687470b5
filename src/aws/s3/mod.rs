//! Objects in S3, for threads that wait: listed, read as a stream, written once.

mod body;
mod url;

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

use super::connect::{Session, Settings, usual};
use super::error::Error;
use super::policy::{Action, Wanted};
pub use body::Body;
use body::send_all;
use url::decoded;
pub use url::{NoS3Url, S3Url};

/// Pieces of an object, of some 16 KiB each, that are held for who reads it.
const AHEAD: usize = 32;

/// An object as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct S3Object {
    /// Its whole key.
    pub key: String,
    /// Its bytes.
    pub size: u64,
}

/// What came of writing an object that must not replace another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was written.
    Written,
    /// An object with this key was there, and is as it was. After a broken connection it may be this very one.
    WasThere,
}

/// S3 by one set of credentials. Every call waits on the thread that makes it, which must not be one of tokio's.
#[derive(Clone, Debug)]
pub struct S3 {
    client: Client,
    session: Arc<Session>,
    threads: Arc<Threads>,
    denied: Arc<Mutex<Vec<Wanted>>>,
}

/// What runs the calls. Nobody waits for them to end.
#[derive(Debug)]
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn inner(&self) -> &tokio::runtime::Runtime {
        self.0.as_ref().expect("invariant: there until it is dropped")
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl S3 {
    /// Finds credentials and region. Buckets are named in the path where an endpoint is given.
    ///
    /// # Errors
    /// Those of [`Session::open`], and of the operating system.
    pub fn connect(settings: &Settings) -> Result<Self, Error> {
        Self::connect_by(settings, usual())
    }

    /// The same by a loader that has settings of its own, such as other credentials.
    ///
    /// # Errors
    /// The same.
    pub fn connect_by(settings: &Settings, loader: ConfigLoader) -> Result<Self, Error> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.worker_threads(2).enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::Settings(format!("no threads for calls to AWS: {error}")))?;
        let session = runtime.block_on(Box::pin(Session::open_by(settings, loader)))?;
        let config = aws_sdk_s3::config::Builder::from(session.config())
            .force_path_style(session.endpoint("S3").is_some())
            // A piece that does not come is waited for here, and gone on with.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            // Services that are like S3 do not all know the newer checksums.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .build();
        Ok(Self {
            client: Client::from_conf(config),
            session: Arc::new(session),
            threads: Arc::new(Threads(Some(runtime))),
            denied: Arc::default(),
        })
    }

    /// What was refused until now.
    pub fn denied(&self) -> Vec<Wanted> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The objects whose keys begin with the address's key, in the byte order of their keys.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn list(&self, at: &S3Url) -> Result<Vec<S3Object>, Error> {
        self.threads.inner().block_on(self.list_all(at))
    }

    async fn list_all(&self, at: &S3Url) -> Result<Vec<S3Object>, Error> {
        let action = Action::ListBucket;
        let mut objects = Vec::new();
        let mut token = None;
        loop {
            // Encoded, since keys may hold what XML cannot.
            let request = self.client.list_objects_v2().bucket(&at.bucket).prefix(&at.key);
            let request = request
                .encoding_type(EncodingType::Url)
                .set_continuation_token(token);
            let asked = || async {
                let page = request.clone().send().await;
                let page = page.map_err(|error| self.explain(action, at, &error))?;
                // S3 always says it; an answer that does not is something else.
                let is_truncated = page.is_truncated.ok_or(Error::Unreadable { action })?;
                Ok((
                    listed(&page)?,
                    page.next_continuation_token.filter(|_| is_truncated),
                ))
            };
            let (page, next) = self.session.make(action, asked).await?;
            objects.extend(page);
            if next.is_none() {
                break;
            }
            if next == *request.get_continuation_token() {
                return Err(Error::Unreadable { action });
            }
            token = next;
        }
        objects.sort_by(|one, other| one.key.cmp(&other.key));
        Ok(objects)
    }

    /// Starts reading an object ahead, without waiting for anything.
    pub fn begin(&self, bucket: &str, key: &str) -> Body {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let at = S3Url {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        };
        let s3 = (self.client.clone(), Arc::clone(&self.session));
        let denied = Arc::clone(&self.denied);
        self.threads.inner().spawn(async move {
            let end = Box::pin(send_all(&s3.0, &s3.1, &at, &sender)).await;
            note(&denied, end.as_ref().err());
            // Nobody may listen any more.
            drop(sender.send(end.map(|()| Vec::new())).await);
        });
        Body::new(receiver, Arc::clone(&self.threads))
    }

    /// Reads an object; its first bytes are there.
    ///
    /// # Errors
    /// Those of AWS; what breaks off later is an error of reading.
    pub fn read(&self, bucket: &str, key: &str) -> Result<Body, Error> {
        self.begin(bucket, key).opened()
    }

    /// A whole object.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn bytes(&self, bucket: &str, key: &str) -> Result<Vec<u8>, Error> {
        self.begin(bucket, key).whole()
    }

    /// Writes an object unless one with this key is there.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn put_new(&self, bucket: &str, key: &str, bytes: &[u8]) -> Result<Put, Error> {
        let action = Action::PutObject;
        let at = S3Url {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        };
        let asked = || async {
            let request = self.client.put_object().bucket(bucket).key(key);
            let request = request.if_none_match("*").body(ByteStream::from(bytes.to_vec()));
            let sent = request
                .customize()
                .config_override(whole_of_the_time(&self.session))
                .send()
                .await;
            match sent {
                Ok(_) => Ok(Put::Written),
                Err(error) if error.code() == Some("PreconditionFailed") => Ok(Put::WasThere),
                Err(error) => Err(self.explain(action, &at, &error)),
            }
        };
        self.threads
            .inner()
            .block_on(Box::pin(self.session.make(action, asked)))
    }

    fn explain<E>(&self, action: Action, at: &S3Url, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let error = explain(&self.session, action, at, error);
        note(&self.denied, Some(&error));
        error
    }
}

fn note(denied: &Mutex<Vec<Wanted>>, error: Option<&Error>) {
    let mut denied = denied.lock().unwrap_or_else(PoisonError::into_inner);
    denied.extend(error.and_then(Error::denied));
}

/// A large object may take longer than other calls.
fn whole_of_the_time(session: &Session) -> aws_sdk_s3::config::Builder {
    let limit = TimeoutConfig::builder().operation_attempt_timeout(session.limit());
    aws_sdk_s3::config::Builder::default().timeout_config(limit.build())
}

/// The objects of a page.
fn listed(page: &ListObjectsV2Output) -> Result<Vec<S3Object>, Error> {
    let is_encoded = page.encoding_type() == Some(&EncodingType::Url);
    let objects = page.contents().iter().map(|object| {
        let key = object.key().unwrap_or("");
        let key = if is_encoded {
            decoded(key)
        } else {
            Some(key.to_owned())
        };
        let size = object.size().and_then(|size| u64::try_from(size).ok());
        Ok(S3Object {
            key: key.ok_or(Error::Unreadable {
                action: Action::ListBucket,
            })?,
            size: size.unwrap_or(0),
        })
    });
    objects.collect()
}

/// What an error means, by its code.
fn explain<E>(session: &Session, action: Action, at: &S3Url, error: &SdkError<E, HttpResponse>) -> Error
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let region = || {
        error
            .raw_response()
            .and_then(|raw| raw.headers().get("x-amz-bucket-region"))
    };
    let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
    match error.as_service_error().and_then(ProvideErrorMetadata::code) {
        Some("NoSuchBucket") => Error::NoBucket(at.bucket.clone()),
        Some("NoSuchKey") => Error::NoObject,
        Some("InvalidObjectState") => Error::Archived,
        Some(
            "PermanentRedirect"
            | "TemporaryRedirect"
            | "AuthorizationHeaderMalformed"
            | "IllegalLocationConstraintException",
        ) => Error::OtherRegion {
            bucket: at.bucket.clone(),
            region: region().map(str::to_owned),
        },
        _ if status == 301 || status == 307 => Error::OtherRegion {
            bucket: at.bucket.clone(),
            region: region().map(str::to_owned),
        },
        Some(_) | None => {
            let object = if action == Action::ListBucket {
                String::new()
            } else {
                format!("/{}", at.key)
            };
            let arn = format!("arn:{}:s3:::{}{object}", session.partition(), at.bucket);
            session.explain(action, error).about(Some(arn))
        }
    }
}
