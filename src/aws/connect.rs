//! Credentials, region and endpoint: from what was asked for to clients of AWS's services.

use std::error::Error as StdError;
use std::time::Duration;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_iam::config::http::HttpResponse;
use aws_sdk_iam::config::{Credentials, IdentityCache};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use aws_types::service_config::ServiceConfigKey;

use super::accounts::is_id;
use super::capped::Capped;
use super::checked::checked;
use super::error::Error;
use super::place::{check_endpoint, check_region, partition, role_of_profile};
use super::policy::Action;
use super::retry::Calls;

/// Where nothing says which: the region that IAM's own endpoint is in.
const DEFAULT_REGION: &str = "us-east-1";
/// How long one try may take.
const ATTEMPT: Duration = Duration::from_secs(30);
/// How long a step may take where nothing is said: ten minutes.
const LIMIT: Duration = Duration::from_mins(10);

/// Whose credentials are used, and where. What is not set comes from AWS's usual chain: environment,
/// profiles, SSO, processes, web identity, container and instance roles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// A profile of the shared configuration; goes before the environment's credentials.
    pub profile: Option<String>,
    /// A region, which decides the partition.
    pub region: Option<String>,
    /// Where AWS is, if not at AWS.
    pub endpoint_url: Option<String>,
    /// A role to act in.
    pub role_arn: Option<String>,
    /// What that role, or those of member accounts, may ask for.
    pub external_id: Option<String>,
    /// How the role's session is called in AWS's logs.
    pub role_session_name: Option<String>,
    /// How long a step may take with all its tries: a role assumed, the accounts listed, the keys of an account
    /// looked up. Ten minutes where it is not set.
    pub timeout: Option<Duration>,
}

impl Settings {
    fn session_name(&self) -> &str {
        self.role_session_name.as_deref().unwrap_or("credlens")
    }
}

/// Credentials in a place.
#[derive(Clone, Debug)]
pub struct Session {
    config: SdkConfig,
    limit: Duration,
    /// The ARN of the role that these credentials are to act in, where they are got by assuming one.
    role: Option<String>,
}

/// Whose the credentials are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account's id.
    pub account: String,
    /// `aws`, `aws-cn`, `aws-us-gov` or another one.
    pub partition: String,
}

impl Session {
    /// Finds credentials and region. Nothing is sent to AWS but what finding them takes.
    ///
    /// # Errors
    /// Where a profile, a region or an address cannot be what is meant; see [`Error::is_usage`].
    pub async fn open(settings: &Settings) -> Result<Self, Error> {
        Box::pin(Self::open_by(settings, usual())).await
    }

    /// The same by a loader that has settings of its own, such as another HTTP client.
    ///
    /// # Errors
    /// The same.
    pub async fn open_by(settings: &Settings, loader: ConfigLoader) -> Result<Self, Error> {
        let limit = settings.timeout.unwrap_or(LIMIT);
        let attempt = ATTEMPT.min(limit);
        let of_profile = role_of_profile(settings.profile.as_deref()).await?;
        let region = region(settings).await;
        check_region(region.as_ref()).map_err(Error::Settings)?;
        // Of those who wait for one another, the inner one gives up first, and says why.
        let inner = timeouts(attempt.mul_f64(0.6));
        let mut loader = loader
            .region(region.clone())
            // What is worth another try is tried by `retry`, which also knows how much time is left.
            .retry_config(RetryConfig::disabled())
            .timeout_config(inner.clone())
            .identity_cache(IdentityCache::lazy().load_timeout(attempt.mul_f64(0.8)).build())
            .app_name(AppName::new("credlens").expect("invariant: letters only"));
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(profile) = &settings.profile {
            let place = ProviderConfig::default()
                .with_region(Some(region))
                .with_retry_config(RetryConfig::disabled())
                .with_timeout_config(inner.clone());
            let place = match Capped::usual() {
                Some(client) => place.with_http_client(client),
                None => place,
            };
            let provider = ProfileFileCredentialsProvider::builder().configure(&place);
            loader = loader
                .profile_name(profile)
                .credentials_provider(provider.profile_name(profile).build());
        }
        let config = Box::pin(loader.load()).await;
        let provider = config.credentials_provider().map(checked);
        let mut builder = config.into_builder();
        builder.set_credentials_provider(provider);
        let session = Self {
            config: builder.build(),
            limit,
            role: settings.role_arn.clone().or(of_profile),
        };
        session.check_endpoints()?;
        let session = session.in_role(settings).await;
        let builder = session.config.into_builder();
        Ok(Self {
            config: builder.timeout_config(timeouts(attempt)).build(),
            ..session
        })
    }

    /// The same, in the role that was asked for.
    async fn in_role(self, settings: &Settings) -> Self {
        let Some(arn) = &settings.role_arn else {
            return self;
        };
        let mut role = AssumeRoleProvider::builder(arn)
            .session_name(settings.session_name())
            .configure(&self.config);
        if let Some(id) = &settings.external_id {
            role = role.external_id(id);
        }
        let provider = checked(role.build().await);
        let config = self.config.into_builder().credentials_provider(provider).build();
        Self { config, ..self }
    }

    fn check_endpoints(&self) -> Result<(), Error> {
        for service in ["IAM", "STS", "Organizations", "S3"] {
            let url = self.endpoint(service);
            url.map_or(Ok(()), |url| check_endpoint(&url)).map_err(|wrong| {
                let of = "AWS_ENDPOINT_URL and its kin, or endpoint_url of the profile";
                Error::Settings(format!("{of}, for {service}: {wrong}"))
            })?;
        }
        Ok(())
    }

    /// The address that a flag, the environment or the profile gives for a service, as its client finds it.
    pub(super) fn endpoint(&self, service: &str) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let found = || self.config.service_config()?.load_config(key.ok()?);
        let given = self.config.endpoint_url().map(str::to_owned);
        given.or_else(found)
    }

    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    /// The partition that the session's region is in.
    pub fn partition(&self) -> &'static str {
        self.config
            .region()
            .map_or("aws", |region| partition(region.as_ref()))
    }

    /// What an error of a call by these credentials means.
    pub(super) fn explain<E>(&self, action: Action, error: &SdkError<E, HttpResponse>) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        Error::of(action, error).in_role(self.role.as_deref())
    }

    /// How long a step may take.
    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// What comes of a call, which may take as long as a step.
    pub(super) async fn make<T, F>(&self, action: Action, call: impl FnMut() -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        Calls::new(action, self.limit).make(call).await
    }

    /// Acts in a role of an account, for an hour.
    pub(super) async fn assume(&self, role: &RoleToAssume<'_>) -> Result<Self, Error> {
        let action = Action::AssumeRole;
        let sts = aws_sdk_sts::Client::new(&self.config);
        let request = sts
            .assume_role()
            .role_arn(role.arn)
            .role_session_name(role.session_name)
            .set_external_id(role.external_id.map(str::to_owned));
        let asked = || async {
            let answer = request.clone().send().await;
            let answer = answer.map_err(|error| self.explain(action, &error).in_role(Some(role.resource)))?;
            answer.credentials.ok_or(Error::Unreadable { action })
        };
        let given = self.make(action, asked).await?;
        let (key, secret, token) = (
            given.access_key_id(),
            given.secret_access_key(),
            given.session_token(),
        );
        let credentials = Credentials::new(key, secret, Some(token.to_owned()), None, "AssumeRole");
        let builder = self.config.clone().into_builder();
        Ok(Self {
            config: builder
                .credentials_provider(checked(credentials))
                .identity_cache(IdentityCache::no_cache())
                .build(),
            limit: self.limit,
            role: None,
        })
    }

    /// Asks whose the credentials are.
    ///
    /// # Errors
    /// Those of AWS.
    pub async fn caller(&self) -> Result<Caller, Error> {
        let action = Action::GetCallerIdentity;
        let sts = aws_sdk_sts::Client::new(&self.config);
        let asked = || async {
            let answer = sts.get_caller_identity().send().await;
            let answer = answer.map_err(|error| self.explain(action, &error))?;
            let partition = answer.arn().and_then(|arn| arn.split(':').nth(1));
            match (answer.account(), partition) {
                (Some(account), Some(partition)) if is_id(account) => Ok(Caller {
                    account: account.to_owned(),
                    partition: partition.to_owned(),
                }),
                (_, _) => Err(Error::Unreadable { action }),
            }
        };
        self.make(action, asked).await
    }

    pub(super) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        aws_sdk_organizations::Client::new(&self.config)
    }
}

/// Which role, and how to ask for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct RoleToAssume<'a> {
    pub(super) arn: &'a str,
    /// What a policy for this and the like would name.
    pub(super) resource: &'a str,
    pub(super) external_id: Option<&'a str>,
    pub(super) session_name: &'a str,
}

/// What the SDK does by itself, but that no answer is without end.
pub(super) fn usual() -> ConfigLoader {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    match Capped::usual() {
        Some(client) => loader.http_client(client),
        None => loader,
    }
}

async fn region(settings: &Settings) -> Region {
    let usual = DefaultRegionChain::builder();
    let usual = match &settings.profile {
        Some(profile) => usual.profile_name(profile),
        None => usual,
    };
    RegionProviderChain::first_try(settings.region.clone().map(Region::new))
        .or_else(usual.build())
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
