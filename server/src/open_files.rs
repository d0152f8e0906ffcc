//! Limit of the system on open files, of which each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Open files that are no connections of clients: the database, the log, connections to providers and
/// receivers, clients that are being hung up on, and some to spare.
const OTHER_FILES: usize = 256;

/// As many of the `wanted` connections as there is room for, after the limit was raised. Fewer are logged.
pub fn connections(wanted: usize) -> usize {
    let Some(files) = raise_limit() else { return wanted };
    let room = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES).max(1);
    if wanted > room {
        tracing::warn!(
            room,
            "server.max_connections is {wanted}, but the system lets this process open {files} \
             files; see LimitNOFILE of systemd, or ulimit -n"
        );
    }
    wanted.min(room)
}

/// Raises the limit of this process as far as it may be raised without privileges, and returns it; `None`
/// if there is none.
///
/// Many systems start programs with a limit of 1024, and let them raise it.
pub fn raise_limit() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    let reached = limit.current;
    limit.current = limit.maximum;
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => limit.current,
        Err(error) => {
            tracing::warn!(%error, "raising the limit of open files");
            reached
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s36_the_limit_is_raised_as_far_as_it_goes() {
        let raised = raise_limit();

        let limit = getrlimit(Resource::Nofile);
        assert_eq!(raised, limit.maximum);
        assert_eq!(limit.current, limit.maximum);
    }
}
