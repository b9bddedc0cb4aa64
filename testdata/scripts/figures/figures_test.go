package main

import (
	"strings"
	"testing"
)

const output = `goos: linux
pkg: moult/core/files
BenchmarkUpdate/disk/167/naive-2         	1	      0 ns/op	      2048.5 total-ms	       1500 window-ms
BenchmarkUpdate/disk/167/moult-auto-2    	1	       512.25 total-ms	         0.2450 window-ms
BenchmarkExtractNaively   	      10	 123456789 ns/op	 271.80 MB/s	    2048 B/op	      12 allocs/op
PASS
ok  	moult/core/files	12.3s
`

func TestParseReadsValuesOfABenchmark(t *testing.T) {
	r := parse([]byte(output))
	for _, want := range []struct {
		bench, unit string
		value       float64
	}{
		{"BenchmarkUpdate/disk/167/naive", "total-ms", 2048.5},
		{"BenchmarkUpdate/disk/167/moult-auto", "window-ms", 0.245},
		{"BenchmarkExtractNaively", "ns/op", 123456789}, // from a machine with one processor
		{"BenchmarkExtractNaively", "MB/s", 271.8},
	} {
		if got := r[want.bench][want.unit]; got != want.value {
			t.Errorf("%s %s is %v, want %v", want.bench, want.unit, got, want.value)
		}
	}
	if len(r) != 3 {
		t.Errorf("%d benchmarks were read, want 3", len(r))
	}
}

func TestTableNamesWhatIsMissing(t *testing.T) {
	text, missing := table(parse([]byte(output)))
	if !strings.Contains(text, "between two releases for | 245 µs | 1.5 s |") {
		t.Errorf("the first row is not there:\n%s", text)
	}
	if !strings.Contains(strings.Join(missing, "\n"), "BenchmarkMigrate1MRows s/ours") {
		t.Errorf("what is missing is not named: %q", missing)
	}
}

func TestReplaceKeepsTheRestOfTheDocument(t *testing.T) {
	got, err := replace([]byte("before\n"+begin+"old\n"+end+"after\n"), "new\n")
	if want := "before\n" + begin + "new\n" + end + "after\n"; err != nil || string(got) != want {
		t.Errorf("replace gives %q, %v", got, err)
	}
	if _, err := replace([]byte("no marks\n"), "new\n"); err == nil {
		t.Error("a document without marks was accepted")
	}
}

func TestFiguresHaveTwoDigits(t *testing.T) {
	for v, want := range map[float64]string{0.000245: "245 µs", 0.0123456: "12 ms", 1.5: "1.5 s", 87.4: "87 s", 0.5279: "528 ms", 12345.6: "12 346 s"} {
		if got := duration(v); got != want {
			t.Errorf("%v s is shown as %q, want %q", v, got, want)
		}
	}
}
