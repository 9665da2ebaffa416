#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command `kloop wire` from outside: what people type, what scripts rely on.

    test_wire_cli.py KLOOP [unittest's arguments]

Every line of input gets one line of output, in order, whatever the lines are; exit codes mean what they say; nothing
that happens to standard input or output ends in more than a message and a code.
"""
import base64
import json
import os
import re
import select
import signal
import subprocess
import sys
import unittest

KLOOP = None
SECONDS = 120  # a program that hangs is an error, not a slow machine

ERROR = re.compile(rb"error: .+ at byte \d+")
GOOD = b"ApiVersions 3 request 066b6c6f6f7006302e312e3000"
GOOD_JSON = b'{"clientSoftwareName":"kloop","clientSoftwareVersion":"0.1.0"}'
# Two records, made by Kafka's own producer classes.
BATCH = (b"000000000000000000000049ffffffff027639736a0000000000010000018bcfe568000000018bcfe56805000000000000109200070000"
         b"000a0000000210000000026b0276001c000a02010a68656c6c6f02026801")

# The versions that the command's contract names; those of transactions and telemetry are still to come.
VERSIONS = {
    "ApiVersions": "0-4", "Metadata": "0-13", "InitProducerId": "0-6", "Produce": "3-13", "SaslHandshake": "0-1",
    "SaslAuthenticate": "0-2", "FindCoordinator": "0-6", "RequestHeader": "1-2", "ResponseHeader": "0-1",
}
VERSIONS_TO_COME = {
    "AddPartitionsToTxn": "0-5", "AddOffsetsToTxn": "0-4", "EndTxn": "0-5", "TxnOffsetCommit": "0-5",
    "GetTelemetrySubscriptions": "0-0", "PushTelemetry": "0-0",
}


def run(*arguments, stdin=b"", **options):
    return subprocess.run([KLOOP, *arguments], input=stdin, capture_output=True, timeout=SECONDS, **options)


def answers(command, lines, *flags):
    """One answer for each line; the input's last line has an end."""
    done = run("wire", command, *flags, stdin=b"".join(line + b"\n" for line in lines))
    assert done.stdout == b"" or done.stdout.endswith(b"\n")
    return done.stdout.split(b"\n")[:-1]


class CommandLine(unittest.TestCase):
    def test_help_is_on_stdout_and_fits_a_screen(self):
        for arguments in (["--help"], ["-h"], ["help"], ["wire", "--help"], ["wire", "-h"], ["wire", "decode", "--help"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 0, arguments)
            self.assertEqual(done.stderr, b"")
            lines = done.stdout.decode().split("\n")
            self.assertLessEqual(len(lines), 40)
            self.assertLessEqual(max(map(len, lines)), 120)
            self.assertIn("usage: kloop", lines[0])
            self.assertIn("examples:", lines)

    def test_help_names_every_command(self):
        text = run("wire", "--help").stdout.decode()
        for word in ("decode", "encode", "batch-decode", "batch-encode", "apis", "--strict"):
            self.assertRegex(text, rf"(?m)^  {word} ")

    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, rb"^kloop \d+\.\d+\.\d+\S*\n$")

    def test_nothing_asked_for_is_a_usage_error_with_the_help(self):
        for arguments in ([], ["wire"], ["wire", "--strict"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2)
            self.assertEqual(done.stdout, b"")
            self.assertIn(b"usage: kloop", done.stderr)

    def test_what_is_not_known_is_refused_with_the_nearest_word(self):
        for arguments, meant in (
                (["wier"], b"'wire'"), (["--versoin"], b"'--version'"), (["--hlep"], b"'--help'"),
                (["wire", "decod"], b"'decode'"), (["wire", "batch-encdoe"], b"'batch-encode'"),
                (["wire", "api"], b"'apis'"), (["wire", "decode", "--stict"], b"'--strict'"),
                (["wire", "--hepl"], b"'--help'")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertEqual(done.stdout, b"")
            self.assertIn(b"'" + arguments[-1].encode() + b"', did you mean " + meant, done.stderr)
        for arguments in (["xyzzy"], ["wire", "xyzzy"], ["wire", "decode", "--xyzzy"], ["wire", "decode", "more"],
                          ["wire", ""], ["--xyzzy"]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertNotIn(b"did you mean", done.stderr)
            self.assertIn(b"--help", done.stderr)

    def test_examples_of_the_help_work(self):
        environment = dict(os.environ, PATH=os.path.dirname(os.path.abspath(KLOOP)) + ":" + os.environ["PATH"])
        tried = 0
        for text in (run("--help").stdout, run("wire", "--help").stdout):
            for line in text.decode().split("examples:\n")[1].strip().split("\n"):
                if "<" in line:
                    continue  # reads a file of the reader's own
                done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, timeout=SECONDS)
                self.assertEqual(done.returncode, 0, line)
                self.assertEqual(done.stderr, b"")
                self.assertNotIn(b"error", done.stdout)
                self.assertNotEqual(done.stdout, b"")
                tried += 1
        self.assertGreaterEqual(tried, 4)

    def test_apis(self):
        done = run("wire", "apis")
        self.assertEqual(done.returncode, 0)
        head, *rows = done.stdout.decode().strip().split("\n")
        self.assertEqual(head.split(), ["API", "KEY", "VERSIONS", "FLEXIBLE", "DIRECTIONS"])
        spoken = {}
        for row in rows:
            name, key, versions, _, directions = re.split(r" {2,}| (?=[-\d])", row.strip(), maxsplit=4)
            spoken[name] = versions
            header = {"RequestHeader": "request", "ResponseHeader": "response"}.get(name)
            self.assertEqual(directions, header or "request, response")
            self.assertEqual(key == "-", header is not None)
        self.assertEqual({name: spoken.get(name) for name in VERSIONS}, VERSIONS)
        for name in spoken.keys() - VERSIONS.keys():
            self.assertEqual(spoken[name], VERSIONS_TO_COME[name])


class Lines(unittest.TestCase):
    def test_each_line_of_a_mixed_file_has_its_answer(self):
        lines = {
            GOOD: GOOD_JSON,
            b"": None,
            b"ApiVersions 3 request 066B6C6F6F7006302E312E3000": GOOD_JSON,
            b"ApiVersions 3 request 066b6C6F6f7006302e312E3000": GOOD_JSON,
            b"ApiVersions 0 request": b"{}",
            b"ApiVersions 0 request ": b"{}",
            b"ApiVersions 0 request  ": None,
            b"ApiVersions 0 request 00": None,
            b" ApiVersions 0 request ": None,
            b"ApiVersions  0 request ": None,
            b"ApiVersions 3 request 066b6c6f6f7006302e312e300": None,
            b"ApiVersions 3 request 066b6c6f6f7006302e312e30zz": None,
            b"ApiVersions 3 request 066b6c6f6f7006302e312e3000 ": None,
            b"ApiVersions 3 request 066b6c6f6f7006302e312e3000\r": None,
            b"ApiVersions 5 request 00": None,
            b"ApiVersions -1 request 00": None,
            b"Produce 2 request 00": None,
            b"ApiVersions x request 00": None,
            b"ApiVersions 99999999999 request 00": None,
            b"ApiVersions 3 Request 00": None,
            b"ApiVersions 3": None,
            b"ApiVersions": None,
            b"apiversions 3 request 00": None,
            b"Nothing 3 request 00": None,
            b"RequestHeader 2 request 000100020000000300016300":
                b'{"requestApiKey":1,"requestApiVersion":2,"correlationId":3,"clientId":"c"}',
            b"RequestHeader 1 response 00000003": None,
            b"ResponseHeader 1 response 0000000300": b'{"correlationId":3}',
            b"ResponseHeader 1 request 0000000300": None,
            b"\0\0\0": None,
            b"\xff\xfe\x80": None,
            b"Api\tVersions 3 request \x1b[2J": None,
            b"x" * 100000: None,
            b"Metadata 9 request 02056162": None,
            b"SaslHandshake 0 request 0001ff": None,
        }
        got = answers("decode", lines)
        self.assertEqual(len(got), len(lines))
        for (line, wanted), answer in zip(lines.items(), got):
            if wanted is None:
                self.assertRegex(answer, b"^" + ERROR.pattern + b"$", line)
                self.assertTrue(answer.decode().isprintable(), answer)
            else:
                self.assertEqual(answer, wanted)

    def test_each_line_has_its_answer_when_encoding(self):
        lines = {
            b'SaslHandshake 1 request {"mechanism":"PLAIN"}': b"0005504c41494e",
            b'SaslHandshake 1 request{"mechanism":"PLAIN"}': None,
            b"ApiVersions 0 request {}": b"",
            b"ApiVersions 0 request ": None,
            b'SaslHandshake 1 request {"mechanism":"PLAIN"} x': None,
            b'SaslHandshake 1 request {"mechanism":5}': None,
            # The name of a key that nobody knows is quoted, and must not end the line.
            b'SaslHandshake 1 request {"a\\nb\\u0000\\u0085":1,"mechanism":"x"}': None,
            b'SaslHandshake 1 request {"\\u2028":1,"mechanism":"x"}': None,
            b'SaslHandshake 1 request {"mechanism":"\\n"}': b"00010a",
        }
        got = answers("encode", lines)
        self.assertEqual(len(got), len(lines))
        for (line, wanted), answer in zip(lines.items(), got):
            if wanted is None:
                self.assertRegex(answer, b"^" + ERROR.pattern + b"$", line)
            else:
                self.assertEqual(answer, wanted)

    def test_place_of_an_error(self):
        for command, line, wanted in (
                ("decode", b"Metadata 9 request 02056162", b"error: topics[0].name: 4 bytes are needed, 2 left at byte 2"),
                ("decode", b"ApiVersions 3 request 06zz", b"at byte 24"),
                ("decode", b"ApiVersions 77 request 06", b"at byte 12"),
                ("decode", b"ApiVersions 3 both 06", b"at byte 14"),
                ("decode", b"ApiVersion 3 request 06", b"did you mean ApiVersions? (line) at byte 0"),
                ("encode", b'SaslHandshake 1 request {"mechanism": 7}', b"at byte 38"),
                ("encode", b'SaslHandshake 1 request {"mechanism": ', b"at byte 38"),
                ("batch-decode", b"00", b"error: 61 bytes are needed, 1 left at byte 0"),
                ("batch-decode", BATCH[:32] + b"01" + BATCH[34:], b"at byte 16"),
                ("batch-decode", BATCH + b"zz", b"at byte 170"),
                ("batch-encode", b" []", b"at byte 1"),
                ("batch-encode", b'{"baseOffset":1.5}', b"at byte 14")):
            answer, = answers(command, [line])
            self.assertRegex(answer, b"^" + ERROR.pattern + b"$")
            self.assertTrue(answer.endswith(wanted), answer)

    def test_batches_there_and_back(self):
        first, second, third = answers("batch-decode", [BATCH, BATCH + BATCH, BATCH.upper()])
        batch, = json.loads(first)
        self.assertEqual([record["value"] for record in batch["records"]], ["dg==", "aGVsbG8="])
        self.assertEqual(json.loads(second), [batch, batch])
        self.assertEqual(third, first)
        del batch["crc"]
        self.assertEqual(answers("batch-encode", [json.dumps(batch).encode(), second, b"{}"])[:2], [BATCH, BATCH + BATCH])
        for codec in ("gzip", "snappy", "lz4", "zstd"):
            packed, = answers("batch-encode", [json.dumps(dict(batch, compression=codec)).encode()])
            unpacked, = json.loads(answers("batch-decode", [packed])[0])
            del unpacked["crc"]
            self.assertEqual(unpacked, dict(batch, compression=codec))

    def test_last_line_without_its_end(self):
        for text, count in ((b"", 0), (GOOD, 1), (GOOD + b"\n", 1), (GOOD + b"\n" + GOOD, 2), (b"\n", 1), (b"x", 1)):
            done = run("wire", "decode", stdin=text)
            self.assertEqual(done.returncode, 0)
            self.assertEqual(done.stdout.count(b"\n"), count)

    def test_a_line_of_20_mb(self):
        payload = bytes(range(256)) * 40000
        body = len(payload).to_bytes(4, "big") + payload
        text = base64.b64encode(payload)
        line = b"SaslAuthenticate 0 request " + body.hex().encode()
        self.assertGreater(len(line), 20_000_000)
        got = answers("decode", [GOOD, line, GOOD])
        self.assertEqual(got, [GOOD_JSON, b'{"authBytes":"' + text + b'"}', GOOD_JSON])
        got = answers("encode", [b"SaslAuthenticate 0 request " + got[1]])
        self.assertEqual(got, [body.hex().encode()])

    def test_answers_are_there_before_it_waits_for_more(self):
        with subprocess.Popen([KLOOP, "wire", "decode"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            for line, wanted in ((GOOD, GOOD_JSON), (b"ApiVersions 0 request", b"{}"), (GOOD, GOOD_JSON)):
                process.stdin.write(line + b"\n")
                process.stdin.flush()
                ready, _, _ = select.select([process.stdout], [], [], SECONDS)
                self.assertTrue(ready)
                self.assertEqual(process.stdout.readline(), wanted + b"\n")
            process.stdin.close()
            self.assertEqual(process.wait(SECONDS), 0)


class Endings(unittest.TestCase):
    FILTERS = ("decode", "encode", "batch-decode", "batch-encode")

    def test_exit_codes(self):
        for command in self.FILTERS:
            self.assertEqual(run("wire", command, stdin=b"bad\n").returncode, 0)
            self.assertEqual(run("wire", command, "--strict", stdin=b"bad\n").returncode, 4)
            self.assertEqual(run("wire", "--strict", command, stdin=b"bad\nbad").returncode, 4)
            self.assertEqual(run("wire", command, "--strict", stdin=b"").returncode, 0)
        self.assertEqual(run("wire", "decode", "--strict", stdin=GOOD).returncode, 0)
        self.assertEqual(run("wire", "decode", "--strict", stdin=GOOD + b"\nbad\n" + GOOD).returncode, 4)
        # Refused lines say so on standard output alone.
        self.assertEqual(run("wire", "decode", "--strict", stdin=b"bad\n").stderr, b"")

    def end(self, arguments, **options):
        """Exit code and error text, with standard input or output not as usual."""
        done = subprocess.run([KLOOP, *arguments], stderr=subprocess.PIPE, timeout=SECONDS, **options)
        self.assertNotIn(b"Sanitizer", done.stderr)
        return done.returncode, done.stderr.decode()

    def test_closed_stdin(self):
        for command in self.FILTERS:
            code, text = self.end(["wire", command], stdout=subprocess.DEVNULL, preexec_fn=lambda: os.close(0))
            self.assertEqual(code, 1)
            self.assertRegex(text, rf"^kloop wire {command}: stopped after 0 lines: .+\n$")

    def test_closed_stdout(self):
        for command in self.FILTERS:
            code, text = self.end(["wire", command], input=b"x\n", preexec_fn=lambda: os.close(1))
            self.assertEqual(code, 1)
            self.assertRegex(text, rf"^kloop wire {command}: stopped after 1 lines: .+\n$")
        code, text = self.end(["wire", "apis"], preexec_fn=lambda: os.close(1))
        self.assertEqual(code, 1)
        self.assertRegex(text, r"^kloop wire apis: .+\n$")

    def test_full_disk(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("there is no /dev/full here")
        for arguments in (["wire", "decode"], ["wire", "apis"]):
            with open("/dev/full", "wb") as full:
                code, text = self.end(arguments, input=GOOD + b"\n", stdout=full)
            self.assertEqual(code, 1)
            self.assertRegex(text, r"^kloop wire \w+: .+\n$")

    def test_reader_that_goes_away(self):
        for ignored in (True, False):
            reader, writer = os.pipe()
            os.close(reader)
            # Python leaves SIGPIPE ignored in its children unless told otherwise.
            code, text = self.end(["wire", "decode"], input=(GOOD + b"\n") * 1000, stdout=writer,
                                  restore_signals=not ignored)
            os.close(writer)
            if ignored:
                self.assertEqual(code, 1)
                self.assertRegex(text, r"^kloop wire decode: stopped after \d+ lines: .+\n$")
            else:
                self.assertEqual((code, text), (-signal.SIGPIPE, ""))

    def test_folder_as_input(self):
        handle = os.open("/", os.O_RDONLY)
        code, text = self.end(["wire", "decode"], stdin=handle, stdout=subprocess.DEVNULL)
        os.close(handle)
        self.assertEqual(code, 1)
        self.assertIn("stopped after 0 lines", text)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    KLOOP = sys.argv.pop(1)
    unittest.main()
