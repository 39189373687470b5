//! Inputs in S3: `s3://bucket/prefix`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use credlens::aws::{
    Action, ConnectSettings, Error, S3, S3Access, S3Body, S3Need, S3Object, S3Url, s3_policy,
};
use credlens::io::archived_details;
use credlens::io::error::InputError;
use credlens::io::inputs::Inputs;
use credlens::io::remote::Remote;

use super::{LocationArgs, print_policy};
use crate::cli::failure::Failure;
use crate::cli::progress::print_waiting;

/// How many objects are opened ahead of the one that is read: the latency of a call is longer than the time to
/// evaluate a report.
const AHEAD: usize = 8;

/// Reports in S3. Clones share what they know.
#[derive(Clone)]
pub(in crate::cli) struct Objects(Arc<Mutex<ObjectsState>>);

struct ObjectsState {
    settings: ConnectSettings,
    quiet: bool,
    /// None until the first call.
    s3: Option<S3>,
    /// The objects that were listed: each is read as it is named.
    listed: BTreeSet<String>,
    /// What a URL named when it was listed: a scan of several inputs finds them more than once.
    found: BTreeMap<String, Vec<String>>,
    /// The objects after the last one opened, as far as known.
    next: VecDeque<S3Url>,
    /// The objects that are read ahead, in that order.
    ahead: VecDeque<(String, S3Body)>,
    /// The objects that were opened to find out whether they exist.
    begun: Vec<(String, S3Body)>,
    /// What S3 denied, and what the input that needed it needs.
    denied: Vec<(Action, S3Need)>,
}

/// At the end of a run, so that each policy is printed once.
impl Drop for ObjectsState {
    fn drop(&mut self) {
        if let [(first, _), ..] = &*self.denied {
            let needs: Vec<_> = self.denied.iter().map(|(_, need)| need.clone()).collect();
            s3_policy(*first, &needs).iter().for_each(print_policy);
        }
    }
}

impl Objects {
    /// Those at this location. No call is made yet.
    pub(in crate::cli) fn at(location: &LocationArgs) -> Result<Self, Failure> {
        Ok(Self(Arc::new(Mutex::new(ObjectsState {
            settings: location.settings()?,
            quiet: true,
            s3: None,
            listed: BTreeSet::new(),
            found: BTreeMap::new(),
            next: VecDeque::new(),
            ahead: VecDeque::new(),
            begun: Vec::new(),
            denied: Vec::new(),
        }))))
    }

    /// Finds region and credentials, so that settings that cannot be used are an error of usage. No call is made.
    pub(in crate::cli) fn connect(&self) -> Result<(), Failure> {
        let mut state = self.lock();
        match state.s3() {
            Err(error) if error.is_usage() => Err(Failure::Usage(error.to_string())),
            // The inputs that need it fail.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// The same, with a message when S3 takes long unless the run is quiet.
    pub(in crate::cli) fn quiet(self, quiet: bool) -> Self {
        let mut state = self.lock();
        if state.quiet && !quiet {
            state.quiet = false;
            state.s3 = state.s3.take().map(|s3| s3.on_wait(print_waiting));
        }
        drop(state);
        self
    }

    fn lock(&self) -> MutexGuard<'_, ObjectsState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// These inputs, with the objects among them. Those that are listed already are read ahead in this order.
    pub(in crate::cli) fn attach(&self, inputs: Inputs, order: &[PathBuf]) -> Inputs {
        let mut state = self.lock();
        let urls = order.iter().map(|input| input.to_string_lossy());
        let known = urls.filter(|url| state.listed.contains(&**url));
        let next = known.filter_map(|url| url.parse().ok());
        let next = next.filter(is_read_in_turn).collect();
        state.next = next;
        state.ahead.clear();
        drop(state);
        inputs.with_remote(Box::new(self.clone()))
    }
}

impl Remote for Objects {
    fn list(&mut self, url: &str) -> Result<Vec<String>, InputError> {
        let mut state = self.lock();
        if state.listed.contains(url) {
            return Ok(vec![url.to_owned()]);
        }
        if let Some(urls) = state.found.get(url).cloned() {
            state.next = urls
                .iter()
                .filter_map(|url| url.parse().ok())
                .filter(is_read_in_turn)
                .collect();
            state.ahead.clear();
            return Ok(urls);
        }
        let at: S3Url = url.parse().map_err(remote)?;
        let found = state.found(&at).map_err(|error| state.failed(&at, error))?;
        let urls: Vec<String> = found.iter().map(S3Url::to_string).collect();
        state.listed.extend(urls.iter().cloned());
        state.found.insert(url.to_owned(), urls.clone());
        state.next = found.into_iter().filter(is_read_in_turn).collect();
        state.ahead.clear();
        Ok(urls)
    }

    fn open(&mut self, url: &str) -> Result<Box<dyn Read + Send>, InputError> {
        let mut state = self.lock();
        let at: S3Url = url.parse().map_err(remote)?;
        let s3 = state.s3().map_err(|error| state.failed(&at, error))?;
        let begun = match state.ahead.pop_front() {
            Some((begun, body)) if begun == url => body,
            Some(_) | None => {
                state.ahead.clear();
                let position = state.next.iter().position(|next| *next == at);
                drop(state.next.drain(..position.map_or(0, |position| position + 1)));
                state.begun(&at).unwrap_or_else(|| s3.begin(&at))
            }
        };
        while state.ahead.len() < AHEAD {
            let Some(next) = state.next.pop_front() else { break };
            let body = state.begun(&next).unwrap_or_else(|| s3.begin(&next));
            state.ahead.push_back((next.to_string(), body));
        }
        drop(state);
        let opened = begun.opened();
        Ok(Box::new(opened.map_err(|error| self.lock().failed(&at, error))?))
    }

    fn open_aside(&mut self, url: &str) -> Result<Box<dyn Read + Send>, InputError> {
        let at: S3Url = url.parse().map_err(remote)?;
        let mut state = self.lock();
        let s3 = state.s3().map_err(|error| state.failed(&at, error))?;
        drop(state);
        let opened = s3.begin(&at).opened();
        Ok(Box::new(opened.map_err(|error| self.lock().failed(&at, error))?))
    }
}

impl ObjectsState {
    /// The objects that an address stands for. If it looks like the name of an object, that is opened first: a caller
    /// may be allowed to read it and not to list the others.
    fn found(&mut self, at: &S3Url) -> Result<Vec<S3Url>, Error> {
        let s3 = self.s3()?;
        if is_name(at) {
            match s3.read(at) {
                Ok(body) => {
                    if self.begun.len() < AHEAD {
                        self.begun.push((at.to_string(), body));
                    }
                    return Ok(vec![at.clone()]);
                }
                Err(Error::NoObject) => {}
                Err(error) => return Err(error),
            }
        }
        match s3.list(at) {
            Ok(objects) if objects.is_empty() && is_name(at) => Err(Error::NoObject),
            Ok(objects) => Ok(below(at, &objects)),
            Err(error) if error.missing_permission().is_some() && is_name(at) => Err(Error::NoObject),
            Err(error) if error.missing_permission().is_some() && is_key(at) => {
                let body = s3.read(at).map_err(|_| error)?;
                self.begun.push((at.to_string(), body));
                Ok(vec![at.clone()])
            }
            Err(error) => Err(error),
        }
    }

    /// An object that was opened when it was found.
    fn begun(&mut self, at: &S3Url) -> Option<S3Body> {
        let url = at.to_string();
        let position = self.begun.iter().position(|(begun, _)| *begun == url)?;
        Some(self.begun.swap_remove(position).1)
    }

    /// The error as that of an input; what S3 denied is remembered for the end.
    fn failed(&mut self, at: &S3Url, error: Error) -> InputError {
        if let (Some(missing), Some(s3)) = (error.missing_permission(), &self.s3) {
            let url = at.to_string();
            let mut listed = self.found.iter().filter(|(input, _)| **input != url);
            let input = listed.find(|(_, urls)| urls.contains(&url));
            let need = match input.and_then(|(input, _)| input.parse().ok()) {
                Some(input) => s3.need(&input, S3Access::Read),
                None if missing.action == Action::ListBucket => s3.need(at, S3Access::Read),
                None => s3.need(at, S3Access::ReadOne),
            };
            self.denied.push((missing.action, need));
        }
        remote(error)
    }

    fn s3(&mut self) -> Result<S3, Error> {
        if let Some(s3) = &self.s3 {
            return Ok(s3.clone());
        }
        let s3 = S3::connect(&self.settings)?;
        let s3 = if self.quiet { s3 } else { s3.on_wait(print_waiting) };
        self.s3 = Some(s3.clone());
        Ok(s3)
    }
}

fn remote(error: impl std::error::Error + Send + Sync + 'static) -> InputError {
    InputError::Remote(Box::new(error))
}

/// Whether an object is read when its turn comes. Details are read with the report to which they belong.
fn is_read_in_turn(at: &S3Url) -> bool {
    !archived_details::is_named_so(Path::new(&at.key))
}

/// Whether it looks like the name of one object, such as `2026-11-21/111122223333.csv`.
fn is_name(at: &S3Url) -> bool {
    let name = at.key.rsplit('/').next().unwrap_or("");
    name.trim_start_matches('.').contains('.')
}

/// Whether it may name one object.
fn is_key(at: &S3Url) -> bool {
    !at.key.is_empty() && !at.key.ends_with('/')
}

/// The objects that an address stands for, of all whose key begins with it: the object of this name; else those below
/// it as if it were a directory; else all. As in a directory, hidden ones are left out, and so are the markers that
/// consoles create for folders.
fn below(at: &S3Url, objects: &[S3Object]) -> Vec<S3Url> {
    let url = |object: &S3Object| S3Url {
        bucket: at.bucket.clone(),
        key: object.key.clone(),
    };
    if is_key(at)
        && let Some(itself) = objects.iter().find(|object| object.key == at.key)
    {
        return vec![url(itself)];
    }
    let is_below = |object: &&S3Object| {
        let rest = object.key.strip_prefix(&at.key);
        !is_key(at) || rest.is_some_and(|rest| rest.starts_with('/'))
    };
    let is_shown = |object: &&S3Object| {
        let rest = object.key.strip_prefix(&at.key).unwrap_or(&object.key);
        !object.key.ends_with('/') && !rest.split('/').any(|name| name.starts_with('.'))
    };
    let shown = || objects.iter().filter(is_shown);
    let inside: Vec<_> = shown().filter(is_below).map(url).collect();
    if inside.is_empty() {
        return shown().map(url).collect();
    }
    inside
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(url: &str, keys: &[&str]) -> Vec<String> {
        let objects: Vec<_> = keys
            .iter()
            .map(|key| S3Object {
                key: (*key).to_owned(),
                size: 1,
            })
            .collect();
        let found = below(&url.parse().unwrap(), &objects);
        found.into_iter().map(|url| url.key).collect()
    }

    #[test]
    fn the_objects_of_an_address() {
        assert_eq!(found("s3://b/a.csv", &["a.csv", "a.csv.gz"]), ["a.csv"]);
        assert_eq!(
            found("s3://b/2026", &["2026-old/x", "2026/x", "2026/y/z"]),
            ["2026/x", "2026/y/z"]
        );
        assert_eq!(
            found("s3://b/2026-1", &["2026-10/x", "2026-11/x"]),
            ["2026-10/x", "2026-11/x"]
        );
        assert_eq!(
            found("s3://b/d/", &["d/", "d/.hidden", "d/.git/x", "d/x", "d/e/"]),
            ["d/x"]
        );
        assert_eq!(found("s3://b", &[".x", "y"]), ["y"]);
        assert_eq!(found("s3://b/.hidden/", &[".hidden/x"]), [".hidden/x"]);
        assert_eq!(found("s3://b/none", &[]), [""; 0]);
    }
}
