"""The rules that the checker holds a line against: an id, the clause, what is wrong in words, and whose fault it is.

Clauses are those of IEC 62056-21:2002; "Elster" marks what these meters add to it (packets, data stream, option 6).
A `breach` is against a "shall"; a `remark` is legal or may have a cause that no listener sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

BREACH, REMARK = "breach", "remark"
ELSTER = "Elster"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: `severity` is "breach" or "remark"."""

    id: str
    clause: str
    title: str
    severity: str = BREACH


_RULES = (
    # characters and the line
    Rule("char.parity", "5.6", "a character has the wrong parity"),
    Rule("char.format", "5.4", "characters are not 7 data bits, even parity, 1 stop bit"),
    Rule("char.code", "5.5", "a character is not of the seven-bit set, or a control character stands among data"),
    Rule("line.collision", "5.1", "two talk at once on a half-duplex line"),
    Rule("speed.start", "5.2", "a sign-on is not at 300 Bd"),
    Rule("speed.agreed", "6.4.3.2", "a message is not at the speed that was agreed on"),
    Rule("speed.midway", "6.4.3.2", "the speed changes inside a message"),
    Rule("message.unknown", "6.3", "characters that are no message"),
    Rule("message.cut", "6.3", "a message has no end"),
    # block check character
    Rule("bcc.missing", "6.2", "a block has no check character"),
    Rule("bcc.start", "6.2", "the check character includes the first SOH or STX"),
    Rule("bcc.stx", "6.2", "the check character of a command starts behind STX and not behind SOH"),
    Rule("bcc.etx", "6.2", "the check character leaves out ETX or EOT"),
    Rule("bcc.parity", "6.2", "the check character is over eight bits"),
    Rule("bcc.sum", "6.2", "the check character is a sum and no exclusive or"),
    Rule("bcc.wrong", "6.2", "the check character is wrong"),
    # sign-on
    Rule("request.form", "6.3.1", "a request is not / ? address ! CR LF"),
    Rule("request.address.length", "6.3.1", "the address has more than 32 characters"),
    Rule("request.address.characters", "6.3.1", "the address has characters other than digits, letters and blank"),
    Rule("ident.form", "6.3.2", "an identification is not / XXX Z ident CR LF"),
    Rule("ident.maker", "6.3.2", "the maker is not three letters, of which only the third may be lower case"),
    Rule("ident.speed", "6.3.2", "the baud rate identification is no printable character, or is / or !"),
    Rule("ident.length", "6.3.2", "the identification has more than 16 characters"),
    Rule("ident.characters", "6.3.2", "the identification holds / or ! or what cannot be printed"),
    Rule("ident.escape", "6.3.2", "nothing, or nothing that can be printed, stands behind a backslash"),
    Rule("ident.mode_d", "6.4.4", "in mode D the baud rate identification is 3"),
    Rule("option.form", "6.3.3", "an option select is not ACK V Z Y CR LF"),
    Rule("option.procedure", "6.3.3", "the protocol control character is not 0, 1 or 2"),
    Rule("option.speed", "6.3.3", "a speed is asked for that was not offered"),
    Rule("option.mode", "6.3.3", "the mode control character is not 0, 1, 2 or 6 to 9"),
    Rule("option.hdlc", "6.3.3", "HDLC is asked for although no \\2 was offered"),
    Rule("option.unasked", "6.4.2", "an option select where modes A and B have none"),
    Rule("fallback.missing", "6.4.3.2", "no readout after a bad option select"),
    Rule("fallback.wrong", "6.4.3.2", "something else than a readout after a bad option select"),
    Rule("mode.answer", "6.4.3", "the answer does not fit the option: data readout or programming mode"),
    # readout and data sets
    Rule("readout.form", "6.3.4", "a readout does not end with ! CR LF in front of ETX"),
    Rule("set.form", "6.3.9", "data are no data sets: brackets do not match"),
    Rule("set.address", "6.3.9", "the address of a data set has more than 16 characters"),
    Rule("set.value", "6.3.9", "a value has more than 32 characters (128 in programming mode)"),
    Rule("set.unit", "6.3.9", "a unit has more than 16 characters"),
    Rule("set.line", "6.3.4", "a data line has more than 78 characters"),
    Rule("set.characters", "6.3.9", "a data set holds a forbidden character"),
    Rule("set.decimal", "6.3.9", "a decimal comma: only a point separates decimals"),
    # programming mode
    Rule("command.form", "6.3.7", "a command is not SOH C D STX data ETX BCC"),
    Rule("command.letter", "6.3.7", "no command has this letter: P, W, R, E or B"),
    Rule("command.type", "6.3.7", "this command has no such type"),
    Rule("command.data", "6.3.7", "the data of a command are not what it takes"),
    Rule("command.side", "6.3.7", "a command from the wrong side: P0 is the device's, all others are the host's"),
    Rule("answer.kind", "Annex A", "the answer is none of those that the command has"),
    Rule("answer.missing", "Annex A", "no answer within 1500 ms"),
    Rule("error.form", "6.3.11", "an error message is not ( text ) or is longer than 32 characters"),
    Rule("error.text", "6.3.11", "the text of an error message looks like data"),
    Rule("break.form", "6.3.12", "a break is not SOH B 0 ETX BCC"),
    Rule("break.answered", "6.3.12", "something was said after the break"),
    Rule("partial.command", "6.4.7", "a partial block (EOT) of a command that has none: only R3, W3, R4 and W4 have"),
    Rule("partial.address", "6.4.7", "the address stands in the first partial block of a write, and only there"),
    Rule("ack.unfounded", "Annex A", "a damaged message was accepted"),
    Rule("nak.unfounded", "Annex A", "a sound message was refused with NAK; it may have been spoilt underway", REMARK),
    Rule("repeat.changed", "6.4.3.2", "what was to be repeated came otherwise"),
    Rule("repeat.many", "Annex A", "the same block was asked for again more than three times", REMARK),
    # who talks when
    Rule("turn.device", "6.4", "the device speaks out of turn"),
    Rule("turn.host", "6.4", "the host speaks although the device may still answer"),
    Rule("turn.unexpected", "6.4", "the host says what does not fit here"),
    Rule("turn.sign_on", "6.3.12", "a new sign-on without a break, and before the device gives up", REMARK),
    # times
    Rule("tr.short", "6.4.3", "a reaction time of less than 200 ms (20 ms with a lower-case third letter)"),
    Rule("tr.long", "6.4.3", "a reaction time of more than 1500 ms"),
    Rule("ta.long", "6.4.3", "1500 ms or more between two characters of a message"),
    Rule("tt.short", "6.4.3.2", "the device goes on by itself before 1500 ms"),
    Rule("tt.long", "6.4.3.2", "the device goes on by itself only after 2200 ms"),
    Rule("inactivity.short", "6.4.3", "the device gives a visit up before 60 s"),
    Rule("inactivity.long", "6.4.3", "the device keeps a visit open for more than 120 s of silence"),
    Rule("wake.length", "Annex B.1", "NULs to wake a device last not 2.1 to 2.3 s"),
    Rule("wake.gap", "Annex B.1", "more than 5 ms between two NULs"),
    Rule("wake.pause", "Annex B.1", "not 1.5 to 1.7 s of silence between NULs and request"),
    Rule("wake.again", "Annex B", "woken again before 1.5 s have passed"),
    Rule("fast.length", "Annex B.2", "NULs of a fast wake-up last not 0.5 to 0.6 s"),
    Rule("fast.answer", "Annex B.2", "the ACK comes not two characters and 20 to 40 ms behind the NULs"),
    Rule("fast.pause", "Annex B.2", "the request comes not 200 to 1500 ms behind the ACK of a fast wake-up"),
    # what Elster adds
    Rule("elster.address", ELSTER, "not identity (3 digits), packet (3 hex digits, from 001) and at most 40h bytes"),
    Rule("elster.count", ELSTER, "the answer has not the number of bytes that was asked for"),
    Rule("stream.request", ELSTER, "RD takes identity, packet and a number of blocks, and only in data stream mode"),
    Rule("stream.format", ELSTER, "a data stream is not 8 data bits without parity, so bit 7 is lost"),
    Rule("stream.crc", ELSTER, "the CRC-16 of a block is wrong"),
    Rule("stream.number", ELSTER, "a block has the wrong number"),
    Rule("stream.length", ELSTER, "a block that is not the last one has not 256 bytes"),
    Rule("stream.mark", ELSTER, "a block ends with neither ETX nor EOT"),
    Rule("stream.last", ELSTER, "a block follows the one that was marked as the last (EOT)"),
    Rule("stream.unfinished", ELSTER, "no block follows the one that was marked as not the last (ETX)"),
    Rule("stream.count", ELSTER, "other than the number of blocks that was asked for"),
    Rule("stream.gap", ELSTER, "1500 ms or more between two blocks"),
    Rule("stream.escape", ELSTER, "a block after ESC"),
)  # fmt: skip

#: Every rule by its id.
RULES: Mapping[str, Rule] = MappingProxyType({rule.id: rule for rule in _RULES})
