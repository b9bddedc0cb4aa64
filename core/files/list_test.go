package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestListTellsWhatALookWould compares a list with one made by looking at everything.
func TestListTellsWhatALookWould(t *testing.T) {
	name := rapid.SampledFrom([]string{"a", "b", "c", "a b", "é", strings.Repeat("n", 200)})
	rapid.Check(t, func(t *rapid.T) {
		base, err := os.MkdirTemp("", "list-")
		must(t, err)
		defer os.RemoveAll(base)
		for range rapid.IntRange(0, 30).Draw(t, "things") {
			at := filepath.Join(append([]string{base, "top"}, rapid.SliceOfN(name, 1, 4).Draw(t, "path")...)...)
			if os.MkdirAll(filepath.Dir(at), 0o755) != nil {
				continue // below a file
			}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				_ = os.Mkdir(at, 0o700)
			case 1:
				_ = os.Symlink("..", at)
			default:
				_ = os.WriteFile(at, nil, 0o644)
			}
		}
		root, err := os.OpenRoot(base)
		must(t, err)
		defer root.Close()
		fast, slow := newTree(root), newTree(root)
		defer fast.close()
		defer slow.close()
		got, err := list(fast, "top", 1000)
		must(t, err)
		by := &listing{top: "top"}
		by.left.Store(1000)
		want := map[string]node{}
		for dirs := []string{"."}; len(dirs) > 0; dirs = dirs[1:] {
			nodes, below, err := by.eachByName(slow, dirs[0])
			must(t, err)
			for _, n := range nodes {
				n.mode = 0 // each way has its own
				want[n.path] = n
			}
			dirs = append(dirs, below...)
		}
		all := map[string]node{}
		for i, n := range got {
			if i > 1 && got[i-1].path >= n.path || (i == 0) != (n.path == ".") {
				t.Fatalf("%s comes after %s", n.path, got[i-1].path)
			}
			n.mode = 0
			all[n.path] = n
		}
		if diff := cmp.Diff(want, all, cmp.AllowUnexported(node{})); diff != "" {
			t.Fatal(diff)
		}
		entries := max(len(all)-1, 0)
		if some, err := list(fast, "top", entries); err != nil || len(some) != len(got) {
			t.Fatalf("of %d entries %d were wanted, and there were %d nodes, %v", entries, entries, len(some), err)
		}
		if entries > 0 {
			if some, err := list(fast, "top", entries-1); err != nil || some != nil {
				t.Fatalf("of %d entries one less was wanted, and there were %d nodes, %v", entries, len(some), err)
			}
		}
	})
}

func TestListOfWhatIsNoDirectory(t *testing.T) {
	base := t.TempDir()
	must(t, os.WriteFile(filepath.Join(base, "file"), nil, 0o644))
	must(t, os.Symlink(t.TempDir(), filepath.Join(base, "link")))
	root, err := os.OpenRoot(base)
	must(t, err)
	defer root.Close()
	tr := newTree(root)
	defer tr.close()
	for _, name := range []string{"file", "link", "missing", "missing/below"} {
		if got, err := list(tr, name, 10); got != nil || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := list(tr, "link/below", 10); err == nil {
		t.Error("a link was followed")
	}
}

func TestListGoesOnWhileADirectoryComesAndGoes(t *testing.T) {
	base := t.TempDir()
	must(t, os.Mkdir(filepath.Join(base, "top"), 0o755))
	root, err := os.OpenRoot(base)
	must(t, err)
	defer root.Close()
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Mkdir(filepath.Join(base, "top/x"), 0o755)
			_ = os.Remove(filepath.Join(base, "top/x"))
		}
	}()
	defer func() { close(stop); <-stopped }()
	for range 2_000 {
		tr := newTree(root)
		nodes, err := list(tr, "top", 10)
		tr.close()
		if err != nil || len(nodes) == 0 {
			t.Fatal(nodes, err)
		}
	}
}

func TestIntentIsReadAsItWasWritten(t *testing.T) {
	ids := rapid.Custom(func(t *rapid.T) ident {
		return ident{rapid.Uint64().Draw(t, "inode"), rapid.Int64().Draw(t, "size"), rapid.Int64().Draw(t, "time")}
	})
	does := []string{}
	for _, name := range names {
		does = append(does, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		want := intent{N: rapid.Int().Draw(t, "n"), Do: rapid.SampledFrom(does).Draw(t, "do"),
			Path: rapid.StringMatching(`[a-z: .é"\\-]{1,20}`).Draw(t, "path"), Old: ids.Draw(t, "old"), New: ids.Draw(t, "new")}
		text, err := want.MarshalText()
		must(t, err)
		var got intent
		must(t, got.UnmarshalText(text))
		if got != want {
			t.Fatalf("%+v came back as %+v from %q", want, got, text)
		}
		cut := text[:rapid.IntRange(0, strings.LastIndex(string(text), want.Do)-1).Draw(t, "cut")]
		if err := new(intent).UnmarshalText(cut); err == nil && strings.Count(string(cut), ".") < 4 {
			t.Fatalf("%q is read as an intent", cut)
		}
	})
}

func BenchmarkList(b *testing.B) {
	l := workload{files: 20_000, size: 64, dirs: 1_800, touched: 1_800}
	siteDir, _, _, _ := l.lay(b, scratch(b))
	root, err := os.OpenRoot(filepath.Dir(siteDir))
	must(b, err)
	defer root.Close()
	t := newTree(root)
	defer t.close()
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if nodes, err := list(t, "site", 1<<20); err != nil || len(nodes) < l.files {
				b.Fatal(len(nodes), err)
			}
		}
	})
	b.Run("look", func(b *testing.B) {
		for b.Loop() {
			lookAtAll(b, siteDir)
		}
	})
}
