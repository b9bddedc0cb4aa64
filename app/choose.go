package app

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"moult/widgets"
)

// choice is what a chooser asks for.
type choice struct {
	title string
	yes   string // the button
	dir   string // where to begin; "": the user's home directory
	file  string // a name that is proposed for a new file; "": a directory is wanted
	do    func(path string)
}

// chooser asks for a directory or for a new file: a path to type, and below it the
// directories to go into. Fyne's own dialogs focus nothing, swallow Escape, and
// speak the language of the system rather than that of the window.
type chooser struct {
	app     *App
	choice  choice
	modal   *modal
	path    *widgets.Field
	folders *widgets.List
	names   []string // the directories in dir, after the way up
	dir     string   // that names belong to
	said    *widget.Label
	yes     *widgets.Action
	replace bool // it was said that a file is there already
}

// choose opens a chooser.
func (a *App) choose(c choice) {
	if c.dir == "" {
		c.dir = homeDir()
	}
	h := &chooser{app: a, choice: c, path: widgets.NewField(false), said: widget.NewLabel("")}
	h.said.Wrapping = fyne.TextWrapWord
	h.said.Importance = widget.WarningImportance
	h.said.Hide()
	h.path.OnSubmitted = func(string) { h.take() }
	h.path.OnChanged = func(string) { h.typed() }
	h.folders = widgets.NewList(func() int { return len(h.names) }, newFolderLine, func(id int, o fyne.CanvasObject) {
		if id < len(h.names) {
			setLabel(o.(*fyne.Container).Objects[0].(*widget.Label), h.names[id])
		}
	}, h.enter)
	h.folders.HideSeparators = true
	tall := &minimum{size: fyne.NewSize(540, 200)}
	tall.ExtendBaseWidget(tall)
	list := container.NewStack(tall, widgets.NewPanel(h.folders))
	no := widgets.NewAction(lang.L("Cancel"), widget.MediumImportance, func() { h.modal.close() })
	h.yes = widgets.NewAction(c.yes, widget.HighImportance, h.take)
	h.modal = a.openModal(c.title, container.NewBorder(h.path, h.said, nil, nil, list), 0, no, h.yes)
	h.path.SetText(filepath.Join(c.dir, c.file))
	h.path.CursorColumn = len([]rune(h.path.Text))
	a.window.Canvas().Focus(h.path)
}

// newFolderLine is a line of the list of directories.
func newFolderLine() fyne.CanvasObject {
	return container.NewBorder(nil, nil, widget.NewIcon(theme.FolderIcon()), nil, widget.NewLabel("folder"))
}

func homeDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return string(filepath.Separator)
	}
	return home
}

// chosen returns the path as it stands, made absolute.
func (h *chooser) chosen() string {
	path := strings.TrimSpace(h.path.Text)
	if path == "" {
		return ""
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	return abs
}

// typed follows the path with the list of directories.
func (h *chooser) typed() {
	path := h.chosen()
	h.replace = false
	h.said.Hide()
	h.yes.Set(h.choice.yes, widget.HighImportance, path != "")
	dir := path
	if h.choice.file != "" {
		dir = filepath.Dir(path)
	}
	if path == "" || dir == h.dir {
		return
	}
	h.app.threads.run(func() {
		names, err := folders(dir)
		h.app.threads.do(func() {
			if err == nil && h.app.modal == h.modal {
				h.dir, h.names = dir, names
				h.folders.UnselectAll()
				h.folders.Refresh()
				h.folders.ScrollToTop()
			}
		})
	})
}

// folders lists the directories in dir that aren't hidden, after the way up.
func folders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := []string{".."}
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names[1:])
	return names, nil
}

// enter goes into a directory of the list.
func (h *chooser) enter(i int) {
	if i >= len(h.names) {
		return
	}
	name := ""
	if h.choice.file != "" {
		name = filepath.Base(h.chosen())
	}
	h.path.SetText(filepath.Join(h.dir, h.names[i], name))
}

// take ends the dialog with the path, after a warning where a file is replaced.
func (h *chooser) take() {
	path := h.chosen()
	if path == "" {
		return
	}
	if h.choice.file != "" && !h.replace {
		switch info, err := os.Stat(path); {
		case err == nil && info.IsDir():
			h.say(lang.L("This is a directory. Add the name of a file."))
			return
		case err == nil:
			h.replace = true
			h.say(lang.L("There is a file of this name already."))
			h.yes.Set(lang.L("Replace it"), widget.DangerImportance, true)
			return
		case !errors.Is(err, fs.ErrNotExist):
			h.say(sentence(err.Error()))
			return
		}
	}
	h.modal.close()
	h.choice.do(path)
}

func (h *chooser) say(sentence string) {
	h.said.SetText(sentence)
	h.said.Show()
}
