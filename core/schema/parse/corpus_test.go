package parse

import (
	"os"
	"path/filepath"
	"testing"

	"moult/core/schema"
)

// corpus returns the folder with real schemas, or skips the test.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("MOULT_CORPUS")
	if dir == "" {
		root, err := filepath.Abs("../../../../shared/data")
		if err != nil {
			t.Fatal(err)
		}
		dir = root
	}
	if _, err := os.Stat(filepath.Join(dir, "schemas", "INDEX.tsv")); err == nil {
		dir = filepath.Join(dir, "schemas")
	}
	if _, err := os.Stat(filepath.Join(dir, "INDEX.tsv")); err != nil {
		t.Skipf("the corpus of real schemas is absent: %v", err)
	}
	return dir
}

func TestCorpusIsReadWithoutError(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t), "*", "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := File(filepath.Base(name), f, schema.DefaultMariaDB)
		f.Close()
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		if len(s.Tables) == 0 {
			t.Errorf("%s: no tables", name)
		}
	}
}
