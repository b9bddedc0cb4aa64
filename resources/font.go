package resources

import (
	"log"
	"os"
	"path/filepath"

	"github.com/go-text/typesetting/fontscan"
)

// HasChinese reports whether a font of this system can write simplified Chinese.
// Fyne finds that font by itself when a text needs it. The first call on a
// system may take a second, as its fonts are looked through.
func HasChinese() bool {
	const sample = '鸭' // a simplified form, so that a font for traditional Chinese or Japanese alone does not count
	fonts := fontscan.NewFontMap(log.New(discard{}, "", 0))
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	if err := fonts.UseSystemFonts(filepath.Join(dir, "fyne")); err != nil {
		return false
	}
	fonts.SetQuery(fontscan.Query{Families: []string{fontscan.SansSerif}})
	face := fonts.ResolveFace(sample)
	if face == nil {
		return false
	}
	_, ok := face.NominalGlyph(sample)
	return ok
}

// discard drops what the font scanner says about broken fonts.
type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }
