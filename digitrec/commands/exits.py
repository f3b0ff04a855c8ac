"""Exit codes of the command line."""

from __future__ import annotations

from digitrec import errors

EXIT_CODES: dict[type[errors.DigitrecError], int] = {
    errors.ImageError: 1,
    errors.UnknownProvider: 2,
    errors.NotInstalled: 3,
    errors.NotConfigured: 4,
    errors.ModelError: 5,
    errors.DataError: 6,
    errors.BudgetExceeded: 7,
    errors.LedgerError: 8,
    errors.Rejected: 10,
    errors.AuthFailed: 11,
    errors.QuotaExceeded: 12,
    errors.RateLimited: 13,
    errors.TimedOut: 14,
    errors.Unavailable: 15,
    errors.BadAnswer: 16,
    errors.Unreachable: 17,
    errors.CannotListen: 18,
}
"""Exit codes by error; 0 is success, 2 also wrong usage, 130 an interrupt."""
REFUSED_BY_SYSTEM = 9
"""Exit code where a file cannot be written: a full disk, a missing folder."""
COMPLETE = "_DIGITREC_COMPLETE"
"""Environment variable by which a shell asks for completions."""


def exit_code(error: errors.DigitrecError) -> int:
    """Return the exit code of the nearest class in `EXIT_CODES`, else 1."""
    return next((EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES), 1)
