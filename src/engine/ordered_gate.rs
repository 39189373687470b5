//! Puts work that was done in parallel back in order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Lets holders of the tickets 0, 1, 2, … through one at a time, in this order.
pub(super) struct OrderedGate<T> {
    state: Mutex<State<T>>,
    moved: Condvar,
    /// Whose turn it is, for who looks before going to sleep.
    turn: AtomicU64,
}

/// How often is looked before that: some microseconds, as long as a small file takes. To sleep and to be woken
/// takes longer.
const LOOKS: usize = 100;

struct State<T> {
    next: u64,
    value: T,
    broken: bool,
    /// How many wait for their turn.
    waiting: usize,
}

/// Once through a turnstile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) ticket: u64,
    /// Whether it is the last time with this ticket.
    pub(super) is_through: bool,
}

impl<T> OrderedGate<T> {
    pub(super) fn new(value: T) -> Self {
        Self {
            state: Mutex::new(State {
                next: 0,
                value,
                broken: false,
                waiting: 0,
            }),
            moved: Condvar::new(),
            turn: AtomicU64::new(0),
        }
    }

    /// Waits for this ticket's turn, and passes with the value; the next one's turn comes when this one is through.
    /// None when a holder before it gave up.
    pub(super) fn pass<R>(
        &self,
        Turn { ticket, is_through }: Turn,
        pass: impl FnOnce(&mut T) -> R,
    ) -> Option<R> {
        self.look_out(ticket);
        let mut state = self.at_turn(ticket);
        if state.broken {
            return None;
        }
        let result = pass(&mut state.value);
        state.next += u64::from(is_through);
        self.turn.store(state.next, Ordering::Release);
        let is_awaited = state.waiting > 0;
        drop(state);
        // To wake is a system call, whoever sleeps.
        if is_awaited && is_through {
            self.moved.notify_all();
        }
        Some(result)
    }

    /// Waits for this ticket's turn, and leaves it be.
    pub(super) fn wait(&self, ticket: u64) {
        drop(self.at_turn(ticket));
    }

    /// Sleeps until it is this ticket's turn, or until a holder before it gave up.
    fn at_turn(&self, ticket: u64) -> MutexGuard<'_, State<T>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting += 1;
        let mut state = self
            .moved
            .wait_while(state, |state| state.next != ticket && !state.broken)
            .unwrap_or_else(PoisonError::into_inner);
        state.waiting -= 1;
        state
    }

    /// Waits a little, where the next turn is this ticket's.
    fn look_out(&self, ticket: u64) {
        let is_next = || self.turn.load(Ordering::Acquire).checked_add(1) == Some(ticket);
        for _ in 0..LOOKS {
            if !is_next() {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Turns away everyone from now on, those who wait included.
    pub(super) fn break_off(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.broken = true;
        drop(state);
        self.moved.notify_all();
    }

    /// The value, once all are through.
    pub(super) fn into_value(self) -> T {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.value
    }
}
