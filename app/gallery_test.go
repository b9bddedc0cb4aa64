package app

import (
	"cmp"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fyne.io/fyne/v2/test"

	"moult/resources"
)

// show puts a scene into a window.
func (b *bench) show(t testing.TB, sc scene) {
	t.Helper()
	if b.app.current == nil { // a scene before this one was without a site
		b.app.show(b.app.sites[0])
	}
	s := b.app.current
	before := s.model
	s.model = sc.model()
	b.app.changed(s, before, s.model)
	b.idle(t)
	if sc.then != nil {
		sc.then(b)
		b.idle(t)
	}
}

// TestGallery renders every state into PNG files when MOULT_GALLERY names a
// directory. Narrowed down and changed it is by MOULT_GALLERY_ONLY, names of scenes
// with commas between them, MOULT_GALLERY_LANG, MOULT_GALLERY_THEME, MOULT_GALLERY_SCALE,
// and MOULT_GALLERY_SIZE, which may be small.
func TestGallery(t *testing.T) {
	dir := os.Getenv("MOULT_GALLERY")
	if dir == "" {
		t.Skip("MOULT_GALLERY names no directory to render into")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	size := usualSize
	if os.Getenv("MOULT_GALLERY_SIZE") == "small" {
		size = leastSize
	}
	scale, err := strconv.ParseFloat(cmp.Or(os.Getenv("MOULT_GALLERY_SCALE"), "1"), 32)
	if err != nil {
		t.Fatal(err)
	}
	wanted := func(variable, value string) bool {
		list := os.Getenv(variable)
		return list == "" || slices.Contains(strings.Split(list, ","), value)
	}
	for _, language := range []resources.Language{resources.English, resources.Chinese} {
		for _, variant := range []resources.Variant{resources.Light, resources.Dark} {
			for _, sc := range scenes {
				if !wanted("MOULT_GALLERY_LANG", string(language)) || !wanted("MOULT_GALLERY_THEME", string(variant)) || !wanted("MOULT_GALLERY_ONLY", sc.name) {
					continue
				}
				name := fmt.Sprintf("%s-%s-%s.png", sc.name, variant, language)
				t.Run(name, func(t *testing.T) {
					speak = language
					defer func() { speak = resources.English }()
					b := newBench(t, wiki(), shop())
					b.app.fyne.Settings().SetTheme(resources.Theme{Variant: variant})
					b.app.window.Canvas().(test.WindowlessCanvas).SetScale(float32(scale))
					b.app.window.Resize(size)
					b.show(t, sc)
					b.capture(t, filepath.Join(dir, name))
				})
			}
		}
	}
}

// settle lays everything out again, as the real driver does when the least size
// of something has changed; the test driver doesn't.
func (b *bench) settle() {
	c := b.app.window.Canvas()
	size := c.Size()
	b.app.window.Resize(size.AddWidthHeight(1, 1))
	b.app.window.Resize(size)
}

func (b *bench) capture(t testing.TB, file string) {
	t.Helper()
	b.settle()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, b.app.window.Canvas().Capture()); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
