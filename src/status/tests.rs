//! Each line of the table, with the numbers written out as ntstatus.h and winerror.h have them, so
//! that a slip in the table's names is seen here.

use super::*;

/// Each of these statuses becomes this code.
#[track_caller]
fn become_code(statuses: &[u32], code: i32) {
    for status in statuses {
        match from(*status) {
            Err(Failure::Error(error)) => {
                assert_eq!(error.raw_os_error(), Some(code), "{status:08X}");
            }
            other => panic!("{status:08X} became {other:?}"),
        }
    }
}

fn from(status: u32) -> Result<(), Failure> {
    Status::from_internal(status as usize).result()
}

#[test]
fn success_is_success() {
    assert!(from(0).is_ok());
}

#[test]
fn informational_statuses_are_success() {
    assert!(from(0x0000_0102).is_ok());
    assert!(from(0x4000_0000).is_ok());
}

#[test]
fn only_the_low_half_of_the_field_counts() {
    #[cfg(target_pointer_width = "64")]
    {
        assert!(Status::from_internal(0xDEAD_BEEF_0000_0000).result().is_ok());
        assert_eq!(Status::from_internal(0xFFFF_FFFF_0000_0103), Status::PENDING);
    }
    assert_eq!(Status::from_internal(0x103), Status::PENDING);
    assert_ne!(Status::from_internal(0), Status::PENDING);
}

#[test]
fn resets_by_the_peer() {
    become_code(
        &[0xC000_020D, 0xC000_013C, 0xC000_020C, 0xC000_013E, 0xC000_023F, 0xC000_A012],
        10054,
    );
}

#[test]
fn connections_broken_off_here() {
    become_code(&[0xC000_013B, 0xC000_0241, 0xC000_020F], 10053);
}

#[test]
fn connections_refused() {
    become_code(&[0xC000_0236, 0xC000_00BC], 10061);
}

#[test]
fn timeouts() {
    become_code(&[0xC000_00B5, 0xC000_013F], 10060);
}

#[test]
fn networks_and_hosts_out_of_reach() {
    become_code(&[0xC000_023C, 0xC000_023E, 0xC000_00BE], 10051);
    become_code(&[0xC000_023D], 10065);
    become_code(&[0xC000_0350], 10064);
}

#[test]
fn cancelled_is_an_outcome_of_its_own() {
    assert!(matches!(from(0xC000_0120), Err(Failure::Cancelled)));
    assert!(matches!(from(0xC000_0240), Err(Failure::Cancelled)));
}

#[test]
fn messages_too_long() {
    become_code(&[0x8000_0005, 0xC000_0206], 10040);
}

#[test]
fn resources_run_out() {
    become_code(
        &[
            0xC000_009A,
            0xC000_0007,
            0xC000_00A1,
            0xC000_0044,
            0xC000_0017,
            0xC000_012D,
            0xC000_0097,
            0xC000_013D,
            0xC000_0018,
            0xC000_0209,
        ],
        10055,
    );
}

#[test]
fn addresses_taken_and_unusable() {
    become_code(&[0xC000_020A, 0xC000_0043], 10048);
    become_code(&[0xC000_0141, 0xC000_0207], 10049);
}

#[test]
fn the_state_of_the_socket() {
    become_code(&[0xC000_023B], 10056);
    become_code(&[0xC000_0140], 10057);
    become_code(&[0xC000_00B0], 10058);
    become_code(&[0xC000_0237], 10101);
    become_code(&[0xC000_0008, 0xC000_0024], 10038);
}

#[test]
fn arguments_and_readiness() {
    become_code(&[0xC000_0023, 0xC000_0005, 0xC000_02C5], 10014);
    become_code(&[0xC000_00A3, 0xC000_00D0], 10035);
}

#[test]
fn networks_that_are_down() {
    become_code(
        &[
            0xC000_00BF,
            0xC000_00C3,
            0xC000_00C4,
            0xC000_000E,
            0xC000_000F,
            0xC000_0034,
            0xC000_003A,
        ],
        10050,
    );
}

#[test]
fn what_is_not_supported_or_not_allowed() {
    become_code(&[0xC000_00BB, 0xC000_0002], 10045);
    become_code(&[0xC000_0022], 10013);
}

#[test]
fn a_wrapped_win32_error_is_unwrapped() {
    become_code(&[0xC007_0057], 87);
    become_code(&[0xC007_0040], 64);
}

#[test]
fn ends_of_files_and_pipes() {
    become_code(&[0xC000_0011], 38);
    become_code(&[0xC000_014B], 109);
    become_code(&[0xC000_00D9], 232);
}

/// What is no socket has the codes that the system itself has for it.
#[cfg(windows)]
#[test]
fn a_status_of_a_file_or_pipe_becomes_its_code_of_win32() {
    for (status, code) in [
        (0xC000_0011_u32, 38),
        (0xC000_014B, 109),
        (0xC000_00B0, 233),
        (0xC000_00B1, 232),
        (0xC000_00D9, 232),
        (0xC000_007F, 112),
        (0xC000_0022, 5),
        (0xC000_0034, 2),
        (0x8000_0005, 234),
    ] {
        match Status(status as NTSTATUS).result_of_file() {
            Err(Failure::Error(error)) => {
                assert_eq!(error.raw_os_error(), Some(code), "{status:08X}");
            }
            other => panic!("{status:08X}: {other:?}"),
        }
    }
    assert!(Status::SUCCESS.result_of_file().is_ok());
    assert!(Status::CANCELLED.result_of_file().unwrap_err().is_cancelled());
    // The second has the bit of those that are not Microsoft's.
    for status in [0xC0DE_0001_u32, 0xE0DE_0001] {
        let unknown = Status(status as NTSTATUS).result_of_file().unwrap_err();
        assert!(unknown.to_string().contains(&format!("0x{status:08X}")), "{unknown}");
        assert_eq!(io::Error::from(unknown).raw_os_error(), None);
    }
}

#[test]
fn an_unlisted_status_keeps_its_number() {
    for status in [0xC0DE_0001_u32, 0x8000_000A] {
        let Err(Failure::Error(error)) = from(status) else { panic!("{status:08X} succeeded") };
        assert_eq!(error.raw_os_error(), None, "no code is made up");
        assert!(error.to_string().contains(&format!("0x{status:08X}")), "{error}");
    }
}

#[test]
fn a_failure_becomes_an_io_error() {
    let cancelled = io::Error::from(Failure::Cancelled);
    assert_eq!(cancelled.kind(), io::ErrorKind::Interrupted);
    assert_eq!(cancelled.to_string(), "the operation was cancelled");
    let reset = io::Error::from(from(0xC000_020D).unwrap_err());
    assert_eq!(reset.raw_os_error(), Some(10054));
}

#[test]
fn a_failure_has_the_kind_of_the_error_that_it_becomes() {
    assert_eq!(Failure::Cancelled.kind(), io::ErrorKind::Interrupted);
    // A kind, and a code: on systems other than Windows std does not know those of Winsock.
    let of_kind = io::Error::from(io::ErrorKind::ConnectionReset);
    assert_eq!(Failure::Error(of_kind).kind(), io::ErrorKind::ConnectionReset);
    let of_code = || io::Error::from_raw_os_error(10054);
    assert_eq!(Failure::Error(of_code()).kind(), of_code().kind());
    for failure in [Failure::Cancelled, Failure::Error(of_code()), from(0xC0DE_0001).unwrap_err()] {
        let kind = failure.kind();
        assert_eq!(io::Error::from(failure).kind(), kind);
    }
}

#[test]
fn only_a_cancelled_operation_is_cancelled() {
    assert!(Failure::Cancelled.is_cancelled());
    assert!(from(0xC000_0120).unwrap_err().is_cancelled());
    assert!(!from(0xC000_020D).unwrap_err().is_cancelled());
    // The kind alone does not say so.
    assert!(!Failure::Error(io::Error::from(io::ErrorKind::Interrupted)).is_cancelled());
}

/// std's kinds for the Winsock codes exist on Windows alone.
#[cfg(windows)]
#[test]
fn std_knows_the_kinds() {
    use io::ErrorKind::*;
    for (status, kind) in [
        (0xC000_020D, ConnectionReset),
        (0xC000_0241, ConnectionAborted),
        (0xC000_0236, ConnectionRefused),
        (0xC000_00B5, TimedOut),
        (0xC000_023C, NetworkUnreachable),
        (0xC000_023D, HostUnreachable),
        (0xC000_0140, NotConnected),
        (0xC000_020A, AddrInUse),
        (0xC000_0141, AddrNotAvailable),
        (0xC000_0022, PermissionDenied),
    ] {
        let Err(Failure::Error(error)) = from(status) else { panic!("{status:08X} succeeded") };
        assert_eq!(error.kind(), kind, "{status:08X}");
    }
}
