package resources

import (
	"bytes"
	"image/png"
	"os"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
)

func TestTheIconHasRoundCorners(t *testing.T) {
	icon, err := png.Decode(bytes.NewReader(Icon().Content()))
	if err != nil {
		t.Fatal(err)
	}
	if got := icon.Bounds().Size(); got.X != 512 || got.Y != 512 {
		t.Errorf("the icon is %v, want 512 by 512", got)
	}
	for _, c := range []struct {
		x, y  int
		alpha uint32
	}{{0, 0, 0}, {511, 0, 0}, {0, 511, 0}, {511, 511, 0}, {40, 40, 0}, {471, 471, 0}, {256, 30, 0xffff}, {30, 256, 0xffff}, {256, 256, 0xffff}} {
		if _, _, _, a := icon.At(c.x, c.y).RGBA(); a != c.alpha {
			t.Errorf("at %d,%d the alpha is %#x, want %#x", c.x, c.y, a, c.alpha)
		}
	}
}

// TestTheDrawingOfTheIconIsWhatFyneCanDraw compares the drawing, as Fyne draws it,
// with the picture that was made of it by another program.
func TestTheDrawingOfTheIconIsWhatFyneCanDraw(t *testing.T) {
	test.NewTempApp(t)
	svg, err := os.ReadFile("icon.svg")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(Icon().Content()))
	if err != nil {
		t.Fatal(err)
	}
	drawing := canvas.NewImageFromResource(fyne.NewStaticResource("icon.svg", svg))
	drawing.SetMinSize(fyne.NewSize(512, 512))
	c := software.NewTransparentCanvas()
	c.SetPadded(false)
	c.SetContent(drawing)
	c.Resize(fyne.NewSize(512, 512))
	drawn := c.Capture()
	different := 0
	for y := range 512 {
		for x := range 512 {
			r, _, _, a := drawn.At(x, y).RGBA()
			wr, _, _, wa := picture.At(x, y).RGBA()
			if far(r, wr) || far(a, wa) {
				different++
			}
		}
	}
	// Edges are smoothed differently.
	if share := float64(different) / (512 * 512); share > 0.01 {
		t.Errorf("%.1f %% of the picture are drawn otherwise", share*100)
	}
}

func far(a, b uint32) bool { return max(a, b)-min(a, b) > 0x4000 }
