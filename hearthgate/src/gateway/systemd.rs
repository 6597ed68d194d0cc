//! What systemd is told: ready, reloading, still alive, stopping. Without systemd nobody listens and nothing is lost.

use sd_notify::NotifyState;
use std::time::Duration;

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// The gateway listens.
pub(crate) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The gateway reads its files again; [`ready`] ends it (`Type=notify-reload`).
pub(crate) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "no monotonic clock for systemd"),
    }
}

/// The gateway closes its listeners.
pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// How often systemd wants to hear that the gateway is alive: half of what the unit allows.
pub(crate) fn heartbeat() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|every| every / 2)
}

/// The gateway is alive: its own DNS listener has answered.
pub(crate) fn alive() {
    notify(&[NotifyState::Watchdog]);
}
