//! A gate that lets parallel workers through in order, one at a time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets the holders of tickets 0, 1, 2, … through one at a time, in this order.
pub(super) struct OrderedGate<T> {
    state: Mutex<GateState<T>>,
    moved: Condvar,
    /// The ticket that may pass now, as in the state, for workers that spin before they sleep.
    current: AtomicU64,
}

/// How often a worker looks before it sleeps: for some microseconds, as long as a small file takes. Sleeping and waking
/// takes longer.
const SPINS: usize = 100;

struct GateState<T> {
    /// The ticket that may pass now.
    current: u64,
    value: T,
    is_broken: bool,
    /// How many workers wait.
    waiting: usize,
}

/// One passage through a gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pass {
    pub(super) ticket: u64,
    /// Whether it is the last one with this ticket.
    pub(super) is_last: bool,
}

impl<T> OrderedGate<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            state: Mutex::new(GateState {
                current: 0,
                value,
                is_broken: false,
                waiting: 0,
            }),
            moved: Condvar::new(),
            current: AtomicU64::new(0),
        }
    }

    /// Waits until this ticket may pass, and calls `with` with the value. After the last passage with a ticket the next
    /// ticket may pass. None if the gate is broken.
    pub(super) fn pass<R>(
        &self,
        Pass { ticket, is_last }: Pass,
        with: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        self.spin(ticket);
        let mut state = self.wait_for(ticket);
        if state.is_broken {
            return None;
        }
        let result = with(&mut state.value);
        state.current += u64::from(is_last);
        self.current.store(state.current, Ordering::Release);
        let is_awaited = state.waiting > 0;
        drop(state);
        // Waking is a system call, even if no worker sleeps.
        if is_awaited && is_last {
            self.moved.notify_all();
        }
        Some(result)
    }

    /// Waits until this ticket may pass, without passing.
    pub(super) fn wait(&self, ticket: u64) {
        drop(self.wait_for(ticket));
    }

    /// Sleeps until this ticket may pass, or the gate is broken.
    fn wait_for(&self, ticket: u64) -> MutexGuard<'_, GateState<T>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        let mut state = self
            .moved
            .wait_while(state, |state| state.current != ticket && !state.is_broken)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    /// Spins for a short time if this ticket is the next one.
    fn spin(&self, ticket: u64) {
        let is_next = || self.current.load(Ordering::Acquire).checked_add(1) == Some(ticket);
        for _ in 0..SPINS {
            if !is_next() {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Breaks the gate: no worker passes from now on, and those that wait return.
    pub(super) fn break_off(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_broken = true;
        drop(state);
        self.moved.notify_all();
    }

    /// The value, after all workers have passed.
    pub(super) fn into_value(self) -> T {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.value
    }
}
