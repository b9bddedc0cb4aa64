package demo_test

import (
	"os"
	"strings"
	"testing"

	"moult/core/demo"
)

func TestReleasesAreCompleteAndDiffer(t *testing.T) {
	wiki, err := demo.Releases(demo.Wiki)
	if err != nil {
		t.Fatal(err)
	}
	if len(wiki) != 4 {
		t.Fatalf("the wiki has %d releases, want 4", len(wiki))
	}
	for i, r := range wiki {
		if len(r.Tree) < 60 {
			t.Errorf("%s has only %d files", r.Version, len(r.Tree))
		}
		if got := strings.TrimSpace(string(r.Tree["VERSION"])); got != r.Version.String() {
			t.Errorf("the VERSION of %s says %s", r.Version, got)
		}
		if r.Notes == "" || r.Schema == "" || r.Channel == "" {
			t.Errorf("%s lacks notes, schema or channel", r.Version)
		}
		if i > 0 && (r.Version.Compare(wiki[i-1].Version) <= 0 || r.Schema == wiki[i-1].Schema) {
			t.Errorf("%s does not follow on %s", r.Version, wiki[i-1].Version)
		}
	}
	if _, still := wiki[2].Tree["src/Fax.php"]; still {
		t.Error("1.5.0 still has src/Fax.php, which it removes")
	}
	if _, err := demo.Releases("forum"); err == nil {
		t.Error("an unknown product gave no error")
	}
}

func TestReleasesAreTheSameEveryTime(t *testing.T) {
	a, errA := demo.Releases(demo.Wiki)
	b, errB := demo.Releases(demo.Wiki)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for i := range a {
		for path, data := range a[i].Tree {
			if string(b[i].Tree[path]) != string(data) {
				t.Fatalf("%s of %s differs from one making to the next", path, a[i].Version)
			}
		}
	}
}

func TestWriteLaysOutTheTree(t *testing.T) {
	shop, err := demo.Releases(demo.Shop)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := shop[0].Write(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(dir + "/src/Shop.php")
	if err != nil || !strings.Contains(string(b), "final class Shop") {
		t.Errorf("src/Shop.php: %v\n%s", err, b)
	}
}
