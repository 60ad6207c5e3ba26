"""Records are written to disk as they come, so that a run that was killed goes on with ``--resume``.

``records.jsonl`` begins with a line that says which run it is of; every further line is one record. A line ends with
the SHA-256 of what it says, and is on the disk before the end of the next claim is printed. A line that was cut off by
a kill is dropped; a file with a line that was altered is refused.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from statnn._archive.words import line_of
from validation.claim import Verdict
from validation.finding import Asks, Finding
from validation.task import Record, Twin

NAME = "records.jsonl"
FORMAT, VERSION = "statnn.validation", 1


class RefusedError(ValueError):
    """The folder of a report is in use, or its records are damaged or of another run."""


@dataclass(frozen=True)
class Journal:
    """The records of one run.

    Parameters
    ----------
    path : Path
        The file.
    key : Mapping
        What records depend on besides their claim: seed, mode, data, version, commit.
    """

    path: Path
    key: Mapping[str, Any]

    def begin(self) -> None:
        """Forget the records of another run."""
        self.path.unlink(missing_ok=True)

    def append(self, record: Record) -> None:
        """Append a record to the file; on failure, say a full disk, the file is left as it was.

        Raises
        ------
        OSError
            If it cannot be written.
        """
        before = self.path.stat().st_size if self.path.exists() else 0
        lines = [asdict(record)]
        if not before:
            lines.insert(0, {"format": FORMAT, "version": VERSION, "key": dict(self.key)})
        text = "".join(json.dumps(line | {"digest": _digest(line)}) + "\n" for line in lines).encode()
        try:
            with self.path.open("ab", buffering=0) as file:
                while text:
                    text = text[file.write(text) :]
                os.fsync(file.fileno())
        except OSError:
            if self.path.exists():
                os.truncate(self.path, before)
            raise

    def read(self) -> dict[str, Record]:
        """Return the records that are there by the ids of their claims; nothing where there is no file.

        Raises
        ------
        RefusedError
            If the file is damaged or of another run; what differs is named.
        """
        if not self.path.exists():
            return {}
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        records = self._records(whole.decode(errors="replace").splitlines())
        if len(whole) < len(data):
            os.truncate(self.path, len(whole))
        return records

    def _records(self, lines: list[str]) -> dict[str, Record]:
        if not lines:
            return {}
        try:
            head, *rest = map(_checked, lines)
            there = dict(head["key"]) if (head["format"], head["version"]) == (FORMAT, VERSION) else None
            records = [_record(plain) for plain in rest]
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise RefusedError(f"{self.path} is damaged ({line_of(error)}): start anew without --resume") from None
        if there is None:
            raise RefusedError(f"{self.path} is not a file of records of this version: start anew without --resume")
        here = json.loads(json.dumps(dict(self.key)))
        words = [f"{name} is {there.get(name)} there and {here.get(name)} here" for name in {**here, **there}
                 if there.get(name) != here.get(name)]  # fmt: skip
        if words:
            raise RefusedError(f"{self.path} is of another run: {'; '.join(words)}; ask for the same, or start anew")
        return {record.id: record for record in records}


def _digest(line: Mapping[str, Any]) -> str:
    return sha256(json.dumps(line, sort_keys=True).encode()).hexdigest()


def _checked(text: str) -> dict[str, Any]:
    """Return what a line says; lines from before lines had digests are accepted without one."""
    line = dict(json.loads(text))
    if line.pop("digest", None) not in {None, _digest(line)}:
        raise ValueError("a line says something else than was written")
    return line


def _record(plain: dict[str, Any]) -> Record:
    twins = tuple(Twin(**{**twin, "verdict": _verdict(twin["verdict"])}) for twin in plain["twins"])
    verdict = plain["verdict"] and _verdict(plain["verdict"])
    return Record(**{**plain, "verdict": verdict, "twins": twins, "derivations": tuple(plain["derivations"])})


def _verdict(plain: dict[str, Any]) -> Verdict:
    findings = [
        Finding(**{**finding, "asks": Asks(finding["asks"]), "singles": tuple(finding["singles"])})
        for finding in plain["findings"]
    ]
    return Verdict(plain["outcome"], tuple(findings), plain["detail"])
