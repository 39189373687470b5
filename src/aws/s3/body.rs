//! Streams an object from the thread that fetches it to the one that reads it, and resumes interrupted transfers.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::silence::Silence;
use super::{S3, S3Url, explain};
use crate::aws::connect::Session;
use crate::aws::credential_errors::system_error;
use crate::aws::error::Error;
use crate::aws::permissions::Action;
use crate::aws::retry::RetriedCalls;

/// The time limit for the next chunk.
const CHUNK_TIMEOUT: Duration = Duration::from_secs(30);
/// How often a transfer is resumed without receiving a chunk in between.
const RESUMES: u32 = 3;

/// What a task that reads an object has of the client.
pub(super) struct Parts {
    pub(super) client: Client,
    pub(super) session: Arc<Session>,
    pub(super) silence: Silence,
}

/// Sends an object in chunks. An interrupted transfer is resumed, as long as the object is unchanged.
pub(super) async fn send_all(
    parts: &Parts,
    at: &S3Url,
    sender: &mpsc::Sender<Result<Vec<u8>, Error>>,
) -> Result<(), Error> {
    let action = Action::GetObject;
    let Parts {
        client,
        session,
        silence,
    } = parts;
    let mut last_chunk = Instant::now();
    let (mut sent, mut tag, mut resumes) = (0, None, 0);
    loop {
        let range = (sent > 0).then(|| format!("bytes={sent}-"));
        let request = client.get_object().bucket(&at.bucket).key(&at.key);
        let request = request.set_range(range).set_if_match(tag.clone());
        let call = || async {
            let output = request.clone().send().await;
            output.map_err(|error| explain(session, action, at, &error))
        };
        let mut calls = RetriedCalls::new(action, session.limit);
        let mut output = silence.call(&at.bucket, &mut calls, call).await?;
        tag = tag.or(output.e_tag.take());
        let reason = loop {
            match tokio::time::timeout(CHUNK_TIMEOUT.min(session.limit), output.body.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(chunk))) if chunk.is_empty() => {}
                Ok(Some(Ok(chunk))) => {
                    (sent, resumes) = (sent + chunk.len() as u64, 0);
                    last_chunk = Instant::now();
                    if sender.send(Ok(chunk.to_vec())).await.is_err() {
                        return Ok(());
                    }
                }
                Ok(Some(Err(error))) => {
                    break system_error(&error).unwrap_or_else(|| "the transfer broke off".to_owned());
                }
                Err(_) => break "no answer in time".to_owned(),
            }
        };
        resumes += 1;
        let is_over = last_chunk.elapsed() >= session.limit;
        if is_over || resumes > RESUMES {
            let error = Error::Unreachable(action, reason);
            if is_over {
                silence.note(&at.bucket, &error);
            }
            return Err(error);
        }
    }
}

/// The content of an object, which is read ahead.
#[derive(Debug)]
pub struct S3Body {
    /// Chunks; an empty one is the end.
    receiver: mpsc::Receiver<Result<Vec<u8>, Error>>,
    chunk: Vec<u8>,
    /// How much of the chunk has been read.
    read: usize,
    is_over: bool,
    s3: S3,
    at: S3Url,
}

impl S3Body {
    /// Reads chunks from a channel.
    pub(super) fn new(receiver: mpsc::Receiver<Result<Vec<u8>, Error>>, s3: S3, at: S3Url) -> Self {
        Self {
            receiver,
            chunk: Vec::new(),
            read: 0,
            is_over: false,
            s3,
            at,
        }
    }

    /// Reads all of it.
    pub(super) fn whole(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while self.has_more()? {
            bytes.append(&mut self.chunk);
        }
        Ok(bytes)
    }

    /// Waits for the first bytes.
    ///
    /// # Errors
    /// Those of AWS.
    pub fn opened(mut self) -> Result<Self, Error> {
        self.has_more()?;
        Ok(self)
    }

    /// Waits for the next chunk, unless one is left; false at the end.
    fn has_more(&mut self) -> Result<bool, Error> {
        if self.read < self.chunk.len() {
            return Ok(true);
        }
        if self.is_over {
            return Ok(false);
        }
        let action = Action::GetObject;
        let next = if let Ok(next) = self.receiver.try_recv() {
            Some(next)
        } else {
            let _waiting = self.s3.waiting(action, &self.at);
            self.receiver.blocking_recv()
        };
        // Without an end marker, a part of the object would look like the whole.
        self.chunk = next.unwrap_or(Err(Error::Unreadable(action)))?;
        self.read = 0;
        self.is_over = self.chunk.is_empty();
        Ok(!self.is_over)
    }
}

impl Read for S3Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.has_more().map_err(io::Error::other)? {
            return Ok(0);
        }
        let rest = &self.chunk[self.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}
