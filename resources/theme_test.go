package resources_test

import (
	"image/color"
	"math"
	"testing"

	"fyne.io/fyne/v2"

	"moult/resources"
)

// luminance is the relative luminance of WCAG 2.1.
func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

// contrast is the contrast ratio of WCAG 2.1.
func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	if x < y {
		x, y = y, x
	}
	return (x + 0.05) / (y + 0.05)
}

func TestEveryTextCanBeRead(t *testing.T) {
	for _, variant := range []resources.Variant{resources.Light, resources.Dark} {
		th := resources.Theme{Variant: variant}
		for _, p := range resources.Pairs() {
			text, back := th.Color(p.Text, 0), th.Color(p.Background, 0)
			if c := contrast(text, back); c < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want at least 4.5", variant, p.Text, p.Background, c)
			}
		}
	}
}

func TestNamedColoursAreOpaque(t *testing.T) {
	for _, p := range resources.Pairs() {
		for _, name := range []fyne.ThemeColorName{p.Text, p.Background} {
			if _, _, _, a := (resources.Theme{}).Color(name, 0).RGBA(); a != 0xffff {
				t.Errorf("%s is transparent, so its contrast can't be known", name)
			}
		}
	}
}
