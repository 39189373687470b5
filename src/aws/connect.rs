//! Credentials, region and endpoint: from what was asked for to clients of AWS's services.

use std::time::Duration;

use aws_config::default_provider::region::DefaultRegionChain;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_iam::config::{Credentials, IdentityCache, SharedCredentialsProvider};

use super::error::Error;
use super::policy::Action;

/// Where nothing says which: the region that IAM's own endpoint is in.
const DEFAULT_REGION: &str = "us-east-1";
/// How often the SDK tries calls that [`super::protocol`] does not steer.
const ATTEMPTS: u32 = 6;
/// How long one try may take.
const ATTEMPT: Duration = Duration::from_secs(30);

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
    pub async fn open(settings: &Settings) -> Self {
        Self::open_by(settings, aws_config::defaults(BehaviorVersion::latest())).await
    }

    /// The same by a loader that has settings of its own, such as another HTTP client.
    pub async fn open_by(settings: &Settings, loader: ConfigLoader) -> Self {
        let region = region(settings).await;
        let mut loader = loader
            .region(region.clone())
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(timeouts())
            .identity_cache(IdentityCache::lazy().load_timeout(ATTEMPT).build())
            .app_name(AppName::new("credlens").expect("invariant: letters only"));
        if let Some(url) = &settings.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(profile) = &settings.profile {
            let place = ProviderConfig::default().with_region(Some(region));
            let provider = ProfileFileCredentialsProvider::builder().configure(&place);
            loader = loader
                .profile_name(profile)
                .credentials_provider(provider.profile_name(profile).build());
        }
        let config = loader.load().await;
        Self { config }.in_role(settings).await
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
        let provider = SharedCredentialsProvider::new(role.build().await);
        let config = self.config.into_builder().credentials_provider(provider).build();
        Self { config }
    }

    /// Acts in a role of an account, for an hour.
    pub(super) async fn assume(&self, role: &RoleToAssume<'_>) -> Result<Self, Error> {
        let sts = aws_sdk_sts::Client::new(&self.config);
        let request = sts
            .assume_role()
            .role_arn(role.arn)
            .role_session_name(role.session_name)
            .set_external_id(role.external_id.map(str::to_owned));
        let answer = request.send().await;
        let answer = answer.map_err(|error| Error::of(Action::AssumeRole, &error))?;
        let given = answer.credentials().ok_or(Error::Unreadable {
            action: Action::AssumeRole,
        })?;
        let (key, secret, token) = (
            given.access_key_id(),
            given.secret_access_key(),
            given.session_token(),
        );
        let credentials = Credentials::new(key, secret, Some(token.to_owned()), None, "AssumeRole");
        let provider = SharedCredentialsProvider::new(credentials);
        let builder = self.config.clone().into_builder();
        Ok(Self {
            config: builder
                .credentials_provider(provider)
                .identity_cache(IdentityCache::no_cache())
                .build(),
        })
    }

    /// Asks whose the credentials are.
    pub async fn caller(&self) -> Result<Caller, Error> {
        let action = Action::GetCallerIdentity;
        let sts = aws_sdk_sts::Client::new(&self.config);
        let answer = sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| Error::of(action, &error))?;
        let partition = answer.arn().and_then(|arn| arn.split(':').nth(1));
        match (answer.account(), partition) {
            (Some(account), Some(partition)) => Ok(Caller {
                account: account.to_owned(),
                partition: partition.to_owned(),
            }),
            (_, _) => Err(Error::Unreadable { action }),
        }
    }

    /// IAM, every call tried once.
    pub(super) fn iam_once(&self) -> aws_sdk_iam::Client {
        let config = aws_sdk_iam::config::Builder::from(&self.config);
        aws_sdk_iam::Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
    }

    /// IAM, calls tried again where that may help.
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
    pub(super) external_id: Option<&'a str>,
    pub(super) session_name: &'a str,
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

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(ATTEMPT)
        .build()
}
