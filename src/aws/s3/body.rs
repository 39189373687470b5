//! An object as a stream: fetched by one thread, read by another, gone on with where it breaks off.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::Client;
use tokio::sync::mpsc;

use super::{S3Url, Threads, explain};
use crate::aws::connect::Session;
use crate::aws::credential_errors::innermost;
use crate::aws::error::Error;
use crate::aws::policy::Action;

/// How long the next piece of an object may take.
const PIECE: Duration = Duration::from_secs(30);
/// How often an object that breaks off is gone on with before it is given up, without a piece in between.
const TRIES: u32 = 3;

/// Hands an object over piece by piece. What breaks off is gone on with, as long as it is the same object.
pub(super) async fn send_all(
    client: &Client,
    session: &Session,
    at: &S3Url,
    sender: &mpsc::Sender<Result<Vec<u8>, Error>>,
) -> Result<(), Error> {
    let action = Action::GetObject;
    let (mut sent, mut tag, mut tries) = (0, None, 0);
    loop {
        let range = (sent > 0).then(|| format!("bytes={sent}-"));
        let request = client.get_object().bucket(&at.bucket).key(&at.key);
        let request = request.set_range(range).set_if_match(tag.clone());
        let asked = || async {
            let answer = request.clone().send().await;
            answer.map_err(|error| explain(session, action, at, &error))
        };
        let mut answer = session.make(action, asked).await?;
        tag = tag.or(answer.e_tag.take());
        let reason = loop {
            match tokio::time::timeout(PIECE, answer.body.next()).await {
                Ok(None) => return Ok(()),
                Ok(Some(Ok(piece))) if piece.is_empty() => {}
                Ok(Some(Ok(piece))) => {
                    (sent, tries) = (sent + piece.len() as u64, 0);
                    if sender.send(Ok(piece.to_vec())).await.is_err() {
                        return Ok(());
                    }
                }
                Ok(Some(Err(error))) => break innermost(&error),
                Err(_) => break "no answer in time".to_owned(),
            }
        };
        tries += 1;
        if tries > TRIES {
            return Err(Error::Unreachable { action, reason });
        }
    }
}

/// An object that is being read, some of it ahead.
#[derive(Debug)]
pub struct Body {
    /// Pieces; an empty one is the end.
    receiver: mpsc::Receiver<Result<Vec<u8>, Error>>,
    piece: Vec<u8>,
    /// How much of the piece has been read.
    read: usize,
    is_over: bool,
    _threads: Arc<Threads>,
}

impl Body {
    /// Of what comes by a channel.
    pub(super) fn new(receiver: mpsc::Receiver<Result<Vec<u8>, Error>>, threads: Arc<Threads>) -> Self {
        Self {
            receiver,
            piece: Vec::new(),
            read: 0,
            is_over: false,
            _threads: threads,
        }
    }

    /// All of it.
    pub(super) fn whole(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        while self.has_more()? {
            bytes.append(&mut self.piece);
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

    /// Waits for the next piece, unless there is one; false at the end.
    fn has_more(&mut self) -> Result<bool, Error> {
        if self.read < self.piece.len() {
            return Ok(true);
        }
        if self.is_over {
            return Ok(false);
        }
        let action = Action::GetObject;
        let next = self.receiver.blocking_recv();
        // A channel that ends without an end would make a part look like the whole.
        self.piece = next.unwrap_or(Err(Error::Unreadable { action }))?;
        self.read = 0;
        self.is_over = self.piece.is_empty();
        Ok(!self.is_over)
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if !self.has_more().map_err(io::Error::other)? {
            return Ok(0);
        }
        let rest = &self.piece[self.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}
