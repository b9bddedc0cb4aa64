package app

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"moult/resources"
	"moult/widgets"
)

// TestEverythingFitsTheSmallestWindow puts every state into a window of 760×520,
// in both languages and at the scales that Fyne can be set to. Fyne's layouts clip
// and overlap only what is given less than its least size.
func TestEverythingFitsTheSmallestWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("every scene is laid out twice, which takes the race detector minutes")
	}
	defer func() { speak = resources.English }()
	// Scales change how letters are rounded and nothing else, so that each state is
	// tried at one of them.
	scales := []float32{1, 0.8, 2}
	for _, language := range []resources.Language{resources.English, resources.Chinese} {
		speak = language
		b := newBench(t, wiki(), shop())
		for k, scale := range scales {
			b.app.window.Canvas().(test.WindowlessCanvas).SetScale(scale)
			b.app.window.Resize(leastSize)
			for i := k; i < len(scenes); i += len(scales) {
				b.show(t, scenes[i])
				b.settle()
				b.mustFit(t, fmt.Sprintf("%s in %q at scale %g", scenes[i].name, language, scale))
				b.closeAll()
			}
		}
	}
}

func (b *bench) mustFit(t *testing.T, what string) {
	t.Helper()
	c := b.app.window.Canvas()
	if least := b.app.window.Content().MinSize(); least.Width > leastSize.Width || least.Height > leastSize.Height {
		t.Errorf("%s: the window needs %v, want at most %v", what, least, leastSize)
	}
	roots := []fyne.CanvasObject{b.app.window.Content()}
	if top := c.Overlays().Top(); top != nil {
		roots = append(roots, top)
		if least := top.MinSize(); least.Width > leastSize.Width || least.Height > leastSize.Height {
			t.Errorf("%s: the dialog needs %v", what, least)
		}
	}
	for _, root := range roots {
		b.walk(root, func(o fyne.CanvasObject) {
			switch o := o.(type) {
			case *widgets.Action:
				if got, least := o.Size(), o.MinSize(); got.Width < least.Width-1 || got.Height < least.Height-1 {
					t.Errorf("%s: the button %q has %v and needs %v", what, o.Text, got, least)
				}
			case *widget.Label:
				got, least := o.Size(), o.MinSize()
				if got.Height < least.Height-1 || got.Width < least.Width-1 && o.Truncation == fyne.TextTruncateOff {
					t.Errorf("%s: the text %q has %v and needs %v", what, o.Text, got, least)
				}
			}
		})
	}
}
