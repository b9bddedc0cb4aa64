package files

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"moult/core/release"
	"moult/core/site"
)

// TestMemoryDoesNotGrowWithTheSizeOfAFile updates a sparse file of 96 MiB to one that
// is a little longer, and back.
func TestMemoryDoesNotGrowWithTheSizeOfAFile(t *testing.T) {
	const size, most = 96 << 20, 8 << 20
	w := build(t, scratch(t), scenario{full: true, way: "file"})
	defer w.close()
	sparse := func(dir string, size int64) release.File {
		name := filepath.Join(dir, "huge")
		must(t, os.WriteFile(name, nil, 0o644))
		must(t, os.Truncate(name, size))
		root, err := os.OpenRoot(dir)
		must(t, err)
		defer root.Close()
		st, err := stateOf(newTree(root), "huge")
		must(t, err)
		return release.File{Path: "huge", Size: st.Size, Mode: st.Mode, SHA256: st.SHA256}
	}
	in := w.input()
	defer in.Contents.Close()
	in.Inventory = &site.Inventory{BaseKnown: true, Files: []release.File{sparse(w.dir, size)}}
	in.New = []release.File{sparse(filepath.Join(w.u.Root.Name(), "contents"), size+1)}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var err error
	w.plan, err = MakePlan(t.Context(), in)
	must(t, err)
	w.all(realDisk{})
	must(t, Verify(t.Context(), w.site, w.plan))
	if _, err := w.undo(realDisk{}); err != nil {
		t.Fatal(err)
	}
	must(t, VerifyOld(t.Context(), w.site, w.plan))
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d bytes were allocated in all", got)
	}
	info, err := os.Stat(filepath.Join(w.dir, "huge"))
	if err != nil || info.Size() != size {
		t.Errorf("the file is %v, %v", info, err)
	}
}
