"""What goes wrong with one case stays inside it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from pathlib import Path

from ..errors import CaseError

logger = logging.getLogger(__name__)


def failure(path: Path, work: Callable[[], None]) -> str | None:
    """Do the work on one case and return why it failed, in words for the user, or None. Interrupts go on."""
    try:
        work()
    except CaseError as error:
        return str(error)
    except MemoryError:
        return f"{path.name}: not enough memory; free some, or split the case"
    except OSError as error:
        return f"{path.name}: {_file_advice(error)}"
    except Exception as error:
        logger.debug("%s", path, exc_info=True)
        return f"{path.name}: unexpected {type(error).__name__}: {error}; run with -v and report this"
    return None


def _file_advice(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for {error.filename or 'the output'}; free some, then predict --skip-existing goes on"
    return f"{error.strerror or error}: {error.filename or 'input or output file'}"
