//! Sessions: credentials, region and endpoint, and the clients of the AWS services that use them.

use std::error::Error as StdError;
use std::fs::OpenOptions;
use std::path::Path;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::config::{Credentials, IdentityCache, SharedHttpClient};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_types::service_config::ServiceConfigKey;

use super::error::Error;
use super::http_client::http_client;
use super::location::{ProfileFacts, check_endpoint, check_partition, check_region, profile_facts};
use super::permissions::Action;
use super::retry::RetriedCalls;
use super::sendable_credentials::sendable;
use crate::report::cell::is_account_id;
use crate::report::partition::Partition;

/// The default region: that of IAM's own endpoint.
const DEFAULT_REGION: &str = "us-east-1";
/// The time limit of one attempt.
const ATTEMPT: Duration = Duration::from_secs(30);
/// The default time limit of a step.
const LIMIT: Duration = Duration::from_mins(10);

/// Which credentials, region and endpoint to use. Defaults come from AWS's chain: environment, profiles, SSO,
/// processes, web identity, container and instance roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectSettings {
    /// A profile of the shared configuration; takes precedence over credentials in the environment.
    pub profile: Option<String>,
    /// The region, which decides the partition.
    pub region: Option<String>,
    /// Another address for all services.
    pub endpoint_url: Option<String>,
    /// The role to assume.
    pub role_arn: Option<String>,
    /// The external id that this role requires.
    pub external_id: Option<String>,
    /// The name of the role's session in AWS's logs.
    pub role_session_name: Option<String>,
    /// What the user agent calls this program, of letters, digits and `-`, so that `CloudTrail` shows it; `credlens` by default.
    pub app_name: Option<String>,
    /// The time limit of a step with its retries, such as assuming a role, listing the accounts or looking up the
    /// keys of an account; ten minutes by default.
    pub timeout: Option<Duration>,
}

/// Credentials, region and endpoint, ready for calls.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) config: SdkConfig,
    /// The time limit of a step.
    pub(super) limit: Duration,
    /// The ARN of the role that the credentials are of, if they come from assuming one; and the files with tokens that
    /// they may come from.
    facts: ProfileFacts,
}

/// The owner of the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's id.
    pub account: String,
    /// The ARN of the user or role session.
    pub arn: String,
    /// `aws`, `aws-cn`, `aws-us-gov` or another one.
    pub partition: String,
}

impl Session {
    /// Finds credentials and region; calls AWS only where finding them requires it.
    ///
    /// # Errors
    /// A profile, region or address is invalid; see [`Error::is_usage`].
    pub async fn open(settings: &ConnectSettings) -> Result<Self, Error> {
        Box::pin(Self::open_by(settings, None)).await
    }

    /// [`Self::open`] with a loader, which must have an HTTP client: this crate's SDK has none by default.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub async fn open_with(settings: &ConnectSettings, loader: ConfigLoader) -> Result<Self, Error> {
        Box::pin(Self::open_by(settings, Some(loader))).await
    }

    async fn open_by(settings: &ConnectSettings, loader: Option<ConfigLoader>) -> Result<Self, Error> {
        let limit = settings.timeout.unwrap_or(LIMIT);
        let attempt = ATTEMPT.min(limit);
        let mut facts = profile_facts(settings.profile.as_deref()).await?;
        facts.role = settings.role_arn.clone().or(facts.role);
        let client = http_client(settings, &facts).await?;
        let region = region(settings, client.clone()).await;
        check_region(region.as_ref()).map_err(Error::InvalidSettings)?;
        // Of nested calls the inner one must give up first, since its error says why.
        let inner = timeouts(attempt.mul_f64(0.6));
        let provider_limit = attempt.mul_f64(0.8);
        let loader = loader.unwrap_or_else(|| {
            let loader = aws_config::defaults(BehaviorVersion::latest());
            loader.http_client(client.clone())
        });
        let mut loader = loader
            .region(region.clone())
            // `retry` does that, and knows how much time is left.
            .retry_config(RetryConfig::disabled())
            .timeout_config(inner.clone())
            .identity_cache(IdentityCache::lazy().load_timeout(attempt.mul_f64(0.9)).build())
            .app_name(app_name(settings)?);
        if let Some(url) = &settings.endpoint_url {
            // Which of AWS's own addresses to use has no meaning with another one, and the SDK refuses both.
            loader = loader.endpoint_url(url).use_fips(false).use_dual_stack(false);
        }
        if let Some(profile) = &settings.profile {
            loader = loader
                .profile_name(profile)
                .credentials_provider(profile_provider(profile, region.clone(), inner, client));
        }
        let config = Box::pin(loader.load()).await;
        let provider = config
            .credentials_provider()
            .map(|provider| sendable(provider, provider_limit));
        let mut builder = config.into_builder();
        builder.set_credentials_provider(provider);
        let session = Self {
            config: builder.build(),
            limit,
            facts,
        };
        session.check_endpoints(region.as_ref())?;
        let session = session.in_role(settings, provider_limit).await;
        let builder = session.config.into_builder();
        Ok(Self {
            config: builder.timeout_config(timeouts(attempt)).build(),
            ..session
        })
    }

    /// The same session in the role of the settings, if they have one.
    async fn in_role(self, settings: &ConnectSettings, provider_limit: Duration) -> Self {
        let Some(arn) = &settings.role_arn else {
            return self;
        };
        let mut role = AssumeRoleProvider::builder(arn)
            .session_name(settings.role_session_name.as_deref().unwrap_or("credlens"))
            .configure(&self.config_of("STS"));
        if let Some(id) = &settings.external_id {
            role = role.external_id(id);
        }
        let provider = sendable(role.build().await, provider_limit);
        let config = self.config.into_builder().credentials_provider(provider).build();
        Self { config, ..self }
    }

    /// Whether the addresses are valid, and if there are none, the region.
    fn check_endpoints(&self, region: &str) -> Result<(), Error> {
        let mut is_elsewhere = false;
        for service in ["IAM", "STS", "Organizations", "S3"] {
            let Some(url) = self.endpoint(service) else {
                continue;
            };
            is_elsewhere = true;
            check_endpoint(&url).map_err(|error| {
                let variables = "AWS_ENDPOINT_URL or AWS_ENDPOINT_URL_*, or endpoint_url of the profile";
                Error::InvalidSettings(format!("{variables}, for {service}: {error}"))
            })?;
        }
        if is_elsewhere {
            return Ok(());
        }
        check_partition(region).map_err(Error::InvalidSettings)
    }

    /// The address of a service that a flag, the environment or the profile sets, found as its client finds it.
    pub(super) fn endpoint(&self, service: &str) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let configured = || self.config.service_config()?.load_config(key.ok()?);
        let flag = self.config.endpoint_url().map(str::to_owned);
        flag.or_else(configured)
    }

    /// The configuration of a service. Where its address is set, which of AWS's own to use has no meaning, and the SDK
    /// refuses both.
    pub(super) fn config_of(&self, service: &str) -> SdkConfig {
        let config = self.config.clone();
        if self.endpoint(service).is_none() {
            return config;
        }
        config
            .into_builder()
            .use_fips(false)
            .use_dual_stack(false)
            .build()
    }

    /// The partition of the session's region.
    pub fn partition(&self) -> &'static str {
        self.config
            .region()
            .map_or("aws", |region| Partition::of_region(region.as_ref()).name)
    }

    /// Classifies an error of a call with these credentials.
    pub(super) fn explain<E>(&self, action: Action, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let error = Error::from_sdk(action, error).with_role(self.facts.role.as_deref());
        if !matches!(error, Error::CredentialSource(_)) {
            return error;
        }
        let unreadable = self.facts.token_files.iter().find_map(|file| unreadable(file));
        unreadable.unwrap_or(error)
    }

    /// Makes a call, with retries, as a step of its own.
    pub(super) async fn call<T, F>(&self, action: Action, call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        RetriedCalls::new(action, self.limit).call(call).await
    }

    /// Assumes a role, for an hour.
    pub(super) async fn assume(
        &self,
        arn: &str,
        external_id: Option<&String>,
        session_name: &str,
    ) -> Result<Self, Error> {
        let action = Action::AssumeRole;
        let sts = aws_sdk_sts::Client::new(&self.config_of("STS"));
        let request = sts
            .assume_role()
            .role_arn(arn)
            .role_session_name(session_name)
            .set_external_id(external_id.cloned());
        let call = || async {
            let output = request.clone().send().await;
            let output = output.map_err(|error| self.explain(action, &error))?;
            output.credentials.ok_or(Error::Unreadable(action))
        };
        let assumed = self.call(action, call).await?;
        let (key, secret) = (assumed.access_key_id, assumed.secret_access_key);
        let credentials = Credentials::new(key, secret, Some(assumed.session_token), None, "AssumeRole");
        let builder = self.config.clone().into_builder();
        Ok(Self {
            config: builder
                .credentials_provider(sendable(credentials, self.limit))
                .identity_cache(IdentityCache::no_cache())
                .build(),
            limit: self.limit,
            facts: ProfileFacts::default(),
        })
    }

    /// The same session with a time limit for each step that is no longer than this.
    #[must_use]
    pub fn within(&self, limit: Duration) -> Self {
        Self {
            limit: self.limit.min(limit),
            ..self.clone()
        }
    }

    /// Asks AWS for the owner of the credentials.
    ///
    /// # Errors
    /// Those of AWS.
    pub async fn caller(&self) -> Result<Caller, Error> {
        let action = Action::GetCallerIdentity;
        let sts = aws_sdk_sts::Client::new(&self.config_of("STS"));
        let call = || async {
            let output = sts.get_caller_identity().send().await;
            let output = output.map_err(|error| self.explain(action, &error))?;
            let partition = output.arn().and_then(|arn| arn.split(':').nth(1));
            match (output.account(), output.arn(), partition) {
                (Some(account), Some(arn), Some(partition)) if is_account_id(account) => Ok(Caller {
                    account: account.to_owned(),
                    arn: arn.to_owned(),
                    partition: partition.to_owned(),
                }),
                (_, _, _) => Err(Error::Unreadable(action)),
            }
        };
        self.call(action, call).await
    }

    pub(super) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config_of("IAM"))
    }

    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        aws_sdk_organizations::Client::new(&self.config_of("Organizations"))
    }
}

fn app_name(settings: &ConnectSettings) -> Result<AppName, Error> {
    let name = settings.app_name.clone().unwrap_or_else(|| "credlens".to_owned());
    AppName::new(name).map_err(|error| Error::InvalidSettings(error.to_string()))
}

/// The error of a file with a token that cannot be read. Its content is not looked at.
fn unreadable(file: &Path) -> Option<Error> {
    let reason = match file.metadata() {
        Err(error) => error.to_string(),
        Ok(metadata) if metadata.is_dir() => "it is a directory".to_owned(),
        // Opening a pipe would wait for its writer.
        Ok(metadata) if !metadata.is_file() => return None,
        Ok(_) => OpenOptions::new().read(true).open(file).err()?.to_string(),
    };
    Some(Error::TokenFile(file.display().to_string(), reason))
}

fn profile_provider(
    profile: &str,
    region: Region,
    timeouts: TimeoutConfig,
    client: SharedHttpClient,
) -> ProfileFileCredentialsProvider {
    let config = ProviderConfig::default()
        .with_region(Some(region))
        .with_retry_config(RetryConfig::disabled())
        .with_timeout_config(timeouts)
        .with_http_client(client);
    let provider = ProfileFileCredentialsProvider::builder().configure(&config);
    provider.profile_name(profile).build()
}

/// The region as AWS's default chain has it, but with this client: the SDK has none of its own here.
async fn region(settings: &ConnectSettings, client: SharedHttpClient) -> Region {
    let profile = ProfileFileRegionProvider::builder();
    let profile = match &settings.profile {
        Some(name) => profile.profile_name(name),
        None => profile,
    };
    let machine = ProviderConfig::default().with_http_client(client);
    RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_else(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(ImdsRegionProvider::builder().configure(&machine).build())
        .or_else(Region::from_static(DEFAULT_REGION))
        .region()
        .await
        .unwrap_or(Region::from_static(DEFAULT_REGION))
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(attempt)
        .build()
}
