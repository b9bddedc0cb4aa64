package app

import (
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"moult/widgets"
)

// list returns the list of directories of the chooser that is open.
func (b *bench) list(t testing.TB) *widgets.List {
	t.Helper()
	for _, o := range test.LaidOutObjects(b.app.window.Canvas().Overlays().Top()) {
		if l, ok := o.(*widgets.List); ok {
			return l
		}
	}
	t.Fatal("no list of directories is in sight")
	return nil
}

func TestSavingAsksBeforeAFileIsReplaced(t *testing.T) {
	b := newBench(t, wiki())
	file := filepath.Join(t.TempDir(), "report.zip")
	b.page().saveDiagnostics()
	b.field(t).SetText(file)
	b.key(t, fyne.KeyReturn)
	b.mustSay(t, "The diagnostics are in "+file)
	b.tap(t, "Close")
	got, err := os.ReadFile(file)
	if err != nil || string(got) != "bundle" {
		t.Fatalf("saved %q, %v", got, err)
	}
	if info, _ := os.Stat(file); info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.page().saveDiagnostics()
	b.field(t).SetText(file)
	b.key(t, fyne.KeyReturn)
	b.mustSay(t, "There is a file of this name already.")
	if got, _ := os.ReadFile(file); string(got) != "old" {
		t.Fatal("it was replaced without a question")
	}
	b.tap(t, "Replace it")
	if got, _ := os.ReadFile(file); string(got) != "bundle" {
		t.Errorf("the file holds %q", got)
	}
}

func TestADirectoryIsNoFileToSave(t *testing.T) {
	b := newBench(t, wiki())
	b.page().saveDiagnostics()
	b.field(t).SetText(t.TempDir())
	b.key(t, fyne.KeyReturn)
	b.mustSay(t, "This is a directory.")
}

func TestEscapeClosesTheChooserAndNotWhatIsBelow(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "www", "wiki"), 0o755); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, wiki())
	b.app.addSite()
	below := b.app.modal
	b.field(t).SetText(dir)
	b.tap(t, "Browse…")
	b.idle(t)
	if b.app.modal == below {
		t.Fatal("no chooser opened")
	}
	b.key(t, fyne.KeyEscape)
	if b.app.modal != below {
		t.Fatal("Escape did not lead back to the dialog below")
	}
	b.tap(t, "Browse…")
	b.idle(t)
	chooser := b.field(t)
	if chooser.Text != dir {
		t.Errorf("it begins in %q", chooser.Text)
	}
	list := b.list(t)
	list.Select(1)
	b.idle(t)
	if want := filepath.Join(dir, "www"); chooser.Text != want {
		t.Errorf("went into %q, want %q", chooser.Text, want)
	}
	b.tap(t, "Choose")
	if b.app.modal != below || b.field(t).Text != filepath.Join(dir, "www") {
		t.Error("the directory was not taken over")
	}
}
