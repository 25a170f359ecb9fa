"""The faults that a client of a cloud meets, and what the right answer to each is.

A test says which lines it proves with ``@pytest.mark.faults(9, 10)``.
"""

from collections.abc import Mapping

import attrs

__all__ = ["EXCUSED", "LINES", "PENDING", "TIERS", "Line"]

TIERS: Mapping[str, str] = {
    "S": "raw sockets on loopback",
    "R": "whole answers, in a patched HTTP library or from a server",
    "T": "TLS with certificates made for the test",
    "U": "the unit alone, or a patched resolver",
    "C": "an emulated cloud with state and a clock",
    "P": "whole processes",
}


@attrs.frozen
class Line:
    """One fault: its number, what happens, what is right, and how it is made to happen."""

    number: int
    tier: str
    fault: str
    right: str


LINES: tuple[Line, ...] = (
    Line(1, "U", "the host name does not exist", "one attempt, nothing sent, names the host"),
    Line(2, "U", "the resolver has a passing failure", "tried again"),
    Line(3, "S", "the port refuses", "tried again, then an error; nothing was sent"),
    Line(4, "S", "packets to the port vanish", "tried again within the deadline; nothing was sent"),
    Line(5, "S", "closed before the first byte of the answer",
         "a read is sent again; a create finds what it made, or says that the outcome is unknown"),
    Line(6, "S", "reset after the request", "as a closed one"),
    Line(7, "S", "a kept connection died while it was idle", "a read is sent again over a new one"),
    Line(8, "S", "reset or closed inside the headers; headers without end",
         "a read is sent again, then an error"),
    Line(9, "S", "the body ends before its length, or the lengths disagree",
         "a read is sent again, then an error: never a shorter list"),
    Line(10, "S", "the body is cut and there was no length", "as above: the JSON is not whole"),
    Line(11, "S", "chunks cut, with a bad size, or without an end", "as above"),
    Line(12, "S", "silence before the headers or inside the body",
         "sent again after the read timeout; the deadline holds within ten percent"),
    Line(13, "R", "one throttle, then a good answer", "exactly one more call, and success"),
    Line(14, "S", "a body that drips", "an error at the deadline, after the rows that came"),
    Line(15, "S", "headers, interim answers, a handshake or a proxy that drip",
         "an error at the deadline"),
    Line(16, "S", "an answer that unpacks to 300 MiB, a body or a page that is too large",
         "refused at once and not asked for again; memory grows by less than 64 MiB"),
    Line(17, "S", "gzip cut short", "sent again, then an error"),
    Line(18, "S", "gzip with a wrong sum or scrambled", "sent again, then an error"),
    Line(19, "S", "an unknown content coding, or six of them",
         "an error that names it; a wrong label on readable JSON is let pass"),
    Line(20, "R", "a portal's page with status 200",
         "an error at once that quotes how it begins, made inert"),
    Line(21, "R", "a gateway's page or nothing with 502, 503, 504", "sent again, then an error"),
    Line(22, "R", "good JSON under a wrong content type", "accepted"),
    Line(23, "R", "an empty body with 200 or 204", "sent again like a cut one, then an error"),
    Line(24, "S", "half of the JSON with the right length", "sent again, then an error"),
    Line(25, "R", "something behind the JSON", "sent again, then an error"),
    Line(26, "R", "bytes that are no UTF-8", "sent again, then an error, none of the decoder's"),
    Line(27, "R", "a byte order mark, UTF-16", "accepted"),
    Line(28, "R", "NaN, Infinity, 1e999",
         "the words are no JSON and an error; a size without bound is no size"),
    Line(29, "R", "an integer of 5,000 digits", "sent again, then an error"),
    Line(30, "R", "sizes as text, fraction, negative, beyond 63 bits, empty",
         "whole ones are read, others are None and never a wrong figure; the row stays"),
    Line(31, "R", "JSON nested 100 or 100,000 deep", "an error, none of the interpreter's"),
    Line(32, "R", "half a surrogate pair in a name", "listed, and printed in every format"),
    Line(33, "R", "a key twice in one object", "the last one counts"),
    Line(34, "R", "the answer is a list, null or a text", "sent again, then an error"),
    Line(35, "R", "an error under status 200", "an error by its code: never an empty list"),
    Line(36, "R", "an error in JSON under 4xx or 5xx", "an error by its code, with request id"),
    Line(37, "R", "a code that is not in any table",
         "the class of its family or status; the code stays as it came"),
    Line(38, "R", "an error without code or message", "an error all the same"),
    Line(39, "R", "rows and an error in one answer", "the error wins"),
    Line(40, "R", "429 with and without Retry-After, in every form",
         "waited for, a minute at most; nonsense is ignored"),
    Line(41, "R", "503 with Retry-After", "waited for, a minute at most"),
    Line(42, "R", "throttles by all their names", "known by the first word of the code"),
    Line(43, "R", "a throttle for each attempt",
         "an error after eight, exit code 5; the rows of other targets are printed (3)"),
    Line(44, "C", "one of two regions is throttled, and the limit is the account's",
         "both slow down"),
    Line(45, "R", "temporary keys that ended before the start", "renewed once, else an error"),
    Line(46, "C", "temporary keys that end inside a listing",
         "renewed and signed anew; no row twice, none missing"),
    Line(47, "U", "renewal fails while the old keys still count, or no longer",
         "goes on with a warning; an error"),
    Line(48, "U", "fifty threads need new keys at once", "one renewal; never halves of two pairs"),
    Line(49, "R", "a wrong secret", "an error at once; the clock is not doubted for ever"),
    Line(50, "R", "this machine's clock is minutes off", "one signature with the right time,"
         " one warning"),
    Line(51, "R", "a Date that is bad or from a cache", "not believed"),
    Line(52, "C", "one action or region is denied", "that scope is denied, the rest is there (3)"),
    Line(53, "R", "page tokens that repeat", "an error after the rows so far, no endless loop"),
    Line(54, "R", "an empty page with a token", "goes on, within bounds"),
    Line(55, "R", "a page token that is refused half-way", "begun again once, no row twice"),
    Line(56, "R", "rows on two pages", "each once"),
    Line(57, "C", "rows deleted between pages", "no living row is missing"),
    Line(58, "C", "rows made between pages", "no row twice"),
    Line(59, "R", "totals that shrink, grow, lie or are missing",
         "the rows decide; what is not explained is reported"),
    Line(60, "R", "pages larger or smaller than asked for", "goes on by what came"),
    Line(61, "R", "the same page for every position", "noticed by its rows, an error"),
    Line(62, "C", "a third is deleted during the listing", "caught up with; reported as moved"),
    Line(63, "R", "null for a list, text, time, size or tags", "empty or None; the row stays"),
    Line(64, "R", "fields missing, new, or of another kind", "the row stays; raw has it all"),
    Line(65, "R", "a status nobody has seen", "unknown, with the provider's word; a wait goes on"),
    Line(66, "R", "a row without an id", "reported, and the listing is not complete"),
    Line(67, "U", "times that are none", "None"),
    Line(68, "U", "times without a zone, far years, summer time", "aware, in UTC"),
    Line(69, "R", "tags as list, object, null, with a key twice", "a mapping; the last counts"),
    Line(70, "P", "escapes, formulas and paths in names",
         "inert where they are drawn or become file names, exact in JSON"),
    Line(71, "C", "a create whose answer is lost, with a client token", "the same token: one"),
    Line(72, "C", "a create whose answer is lost, without one",
         "found by its marker and adopted, or unknown: never two"),
    Line(73, "C", "a create that is throttled, then goes through", "one"),
    Line(74, "C", "one member of a group fails", "the others stay, each is named, a key goes on"),
    Line(75, "P", "killed between two members", "the same key ends with all, and no other"),
    Line(76, "C", "deleting what is absent, in use, or twice", "absent; a conflict; fine"),
    Line(77, "C", "creating for ever, then failed", "the wait times out (7); ends at once"),
    Line(78, "C", "gone while it is waited for", "after three looks in a row, not the first"),
    Line(79, "S", "a redirect to another host", "an error at once; nothing reaches that host"),
    Line(80, "T", "a certificate expired, of another host, untrusted; no TLS at all",
         "an error at once with a hint on the CA bundle; nothing was sent"),
    Line(81, "S", "a proxy that is dead, refuses, or wants a password; NO_PROXY",
         "the proxy is named without its password; nothing was sent"),
    Line(82, "S", "a .netrc that names the host", "the signature stays"),
    Line(83, "S", "the server sets a cookie", "it is not sent back"),
    Line(84, "P", "disk full, reader gone, Ctrl-C, SIGTERM",
         "no half file is left; exit codes 1, 141, 130; the rows so far are printed"),
    Line(85, "S", "one of many targets hangs", "the others are printed in time (3)"),
    Line(86, "P", "errors and results between processes", "class, code and request id arrive"),
)  # fmt: skip

EXCUSED: Mapping[int, str] = {}
"""Lines that cannot happen here, and why."""

PENDING: frozenset[int] = frozenset()
"""Lines whose tests do not carry the mark yet."""
