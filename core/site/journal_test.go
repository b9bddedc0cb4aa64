package site

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func newUpdate(t *testing.T) *Update {
	t.Helper()
	u, err := newSite(t).NewUpdate("u1")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { u.Close() })
	return u
}

func reopen(t testing.TB, u *Update) (*Journal, []Record) {
	t.Helper()
	j, records, err := u.Journal()
	if err != nil {
		t.Fatal(err)
	}
	return j, records
}

func TestRecordsThatWaitKeepTheirOrder(t *testing.T) {
	u := newUpdate(t)
	j, _ := reopen(t, u)
	steps := []struct {
		name string
		do   func() error
		want []string // what is in the file then
	}{
		{"one waits", func() error { return j.AppendLater("a", 1) }, nil},
		{"two wait", func() error { return j.AppendLater("b", nil) }, nil},
		{"the next is written at once", func() error { return j.Append("c", nil) }, []string{"a", "b", "c"}},
		{"one more waits", func() error { return j.AppendLater("d", nil) }, []string{"a", "b", "c"}},
		{"sync", j.Sync, []string{"a", "b", "c", "d"}},
		{"a last one", func() error { return j.AppendLater("e", nil) }, []string{"a", "b", "c", "d"}},
		{"close", j.Close, []string{"a", "b", "c", "d", "e"}},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		records, err := u.Records()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, kinds(records)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.name, diff)
		}
	}
}

func TestRecordIsCutAsItIsDecoded(t *testing.T) {
	body := func(kind, data string) string {
		return `{"kind":"` + kind + `","time":"2026-01-02T03:04:05.000000006Z","data":` + data + `}`
	}
	tests := []struct {
		body string
		cut  bool
	}{
		{body("files.intent", `{"n":1,"path":"a\"b}"}`), true},
		{body("a", `null`), true},
		{body(`a\u0041`, `1`), false},
		{body("a", `{"n":1`), false},
		{body("a", `1},"data":{"n":2}`), false},
		{`{"kind":"a","time":"2026-01-02T03:04:05Z"}`, false},
		{`{"kind":"a","time":"yesterday","data":1}`, false},
	}
	for _, test := range tests {
		got, cut := cutRecord([]byte(test.body))
		if cut != test.cut {
			t.Errorf("%s: cut is %v", test.body, cut)
		}
		var want Record
		if !cut {
			continue
		}
		if err := json.Unmarshal([]byte(test.body), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-decoded +cut):\n%s", test.body, diff)
		}
	}
}

func TestRecordIsWrittenAsItIsMarshalled(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	for _, test := range []struct {
		kind string
		data any
	}{
		{"files.intent", map[string]any{"n": 1, "path": "a\"b}<&>"}},
		{"files.undo", nil},
		{`quoted "kind"`, []int{1, 2}},
	} {
		want := Record{Kind: test.kind, Time: at}
		if test.data != nil {
			var err error
			if want.Data, err = json.Marshal(test.data); err != nil {
				t.Fatal(err)
			}
		}
		body, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		line, err := appendRecord([]byte("before\n"), test.kind, at, test.data)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("before\n%08x %s\n", crc32.Checksum(body, crcTable), body); string(line) != want {
			t.Errorf("the line is %q, want %q", line, want)
		}
	}
}

func kinds(records []Record) []string {
	var k []string
	for _, r := range records {
		k = append(k, r.Kind)
	}
	return k
}

func TestJournalReadsBackWhatWasAppended(t *testing.T) {
	u := newUpdate(t)
	for i, kind := range []string{"a", "b", "c"} {
		j, records := reopen(t, u)
		if len(records) != i {
			t.Fatalf("%d records, want %d", len(records), i)
		}
		if err := j.Append(kind, map[string]any{"n": i, "text": "line\nend"}); err != nil {
			t.Fatal(err)
		}
		if err := j.Sync(); err != nil {
			t.Fatal(err)
		}
		j.Close()
	}
	records, err := u.Records()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b", "c"}, kinds(records)); diff != "" {
		t.Error(diff)
	}
	var data struct{ Text string }
	if err := json.Unmarshal(records[1].Data, &data); err != nil || data.Text != "line\nend" {
		t.Errorf("%q, %v", data.Text, err)
	}
}

// TestTornTailIsCut cuts and damages a journal at every byte. What is read must be a
// prefix of what was written, and appending must go on from there.
func TestTornTailIsCut(t *testing.T) {
	u := newUpdate(t)
	j, _ := reopen(t, u)
	for _, kind := range []string{"a", "b", "c"} {
		if err := j.Append(kind, kind); err != nil {
			t.Fatal(err)
		}
	}
	j.Close()
	name := filepath.Join(u.Root.Name(), JournalFile)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, at int, text []byte, most int) {
		t.Helper()
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
		j, records := reopen(t, u)
		defer j.Close()
		if len(records) > most || !cmp.Equal(kinds(records), []string{"a", "b", "c"}[:len(records)], cmp.Transformer("nil", func(s []string) int { return len(s) })) {
			t.Errorf("%s at byte %d: read %v", what, at, kinds(records))
		}
		if err := j.Append("next", nil); err != nil {
			t.Fatal(err)
		}
		after, err := u.Records()
		if err != nil || len(after) != len(records)+1 || after[len(records)].Kind != "next" {
			t.Errorf("%s at byte %d: after appending %v, %v", what, at, kinds(after), err)
		}
	}
	for i := range whole {
		check("cut", i, whole[:i], bytes.Count(whole[:i], []byte{'\n'}))
		if i%4 != 0 {
			continue
		}
		damaged := bytes.Clone(whole)
		damaged[i] ^= 0x01
		check("damaged", i, damaged, bytes.Count(whole[:i], []byte{'\n'}))
		zeroed := append(bytes.Clone(whole[:i]), make([]byte, len(whole)-i)...)
		check("zeroed", i, zeroed, bytes.Count(whole[:i], []byte{'\n'}))
	}
}

func TestJournalSurvivesAnyTail(t *testing.T) {
	u := newUpdate(t)
	j, _ := reopen(t, u)
	if err := j.Append("first", nil); err != nil {
		t.Fatal(err)
	}
	j.Close()
	name := filepath.Join(u.Root.Name(), JournalFile)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		tail := rapid.SliceOf(rapid.Byte()).Draw(t, "tail")
		if err := os.WriteFile(name, append(bytes.Clone(whole), tail...), 0o600); err != nil {
			t.Fatal(err)
		}
		j, records, err := u.Journal()
		if err != nil {
			t.Fatal(err)
		}
		j.Close()
		if len(records) != 1 || records[0].Kind != "first" {
			t.Fatalf("read %v", kinds(records))
		}
	})
}

func TestRecordThatIsTooLongIsRefused(t *testing.T) {
	u := newUpdate(t)
	j, _ := reopen(t, u)
	defer j.Close()
	if err := j.Append("big", strings.Repeat("x", maxRecord)); err == nil {
		t.Error("a record longer than the limit was written")
	}
	if err := j.Append("small", nil); err != nil {
		t.Errorf("the next record: %v", err)
	}
}

func FuzzReadJournal(f *testing.F) {
	f.Add([]byte("00000000 {}\n"))
	f.Add([]byte("\n\n"))
	f.Add([]byte(`1c291ca3 {"kind":"x","time":"2026-01-01T00:00:00Z"}` + "\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, whole, err := readJournal(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if whole > int64(len(b)) || whole > 0 && b[whole-1] != '\n' {
			t.Fatalf("%d of %d bytes are whole", whole, len(b))
		}
	})
}

func BenchmarkJournal(b *testing.B) {
	s, err := Init(b.TempDir(), Config{}, State{})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	u, err := s.NewUpdate("u")
	if err != nil {
		b.Fatal(err)
	}
	defer u.Close()
	type data struct {
		N    int
		Path string
	}
	b.Run("append", func(b *testing.B) {
		j, _ := reopen(b, u)
		defer j.Close()
		for i := 0; b.Loop(); i++ {
			if err := j.Append("files.intent", data{i, "lib/some/where/file.php"}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("append and sync", func(b *testing.B) {
		j, _ := reopen(b, u)
		defer j.Close()
		for i := 0; b.Loop(); i++ {
			if err := j.Append("files.intent", data{i, "lib/some/where/file.php"}); err != nil {
				b.Fatal(err)
			}
			if err := j.Sync(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
