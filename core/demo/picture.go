package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
)

// addPictures puts the binary files of a release into its tree: a duck, which
// changes its feathers with 1.5.0, the pond behind it, and a font.
func addPictures(tree map[string][]byte, version string) error {
	feathers := color.RGBA{0xf2, 0xc1, 0x2e, 0xff}
	if version >= "1.5.0" {
		feathers = color.RGBA{0x2e, 0x7d, 0x57, 0xff}
	}
	for path, size := range map[string]int{"assets/img/duck.png": 128, "assets/img/duck-small.png": 32, "favicon.png": 16} {
		data, err := duck(size, feathers)
		if err != nil {
			return err
		}
		tree[path] = data
	}
	pond, err := water(320)
	if err != nil {
		return err
	}
	tree["assets/img/pond.png"] = pond
	tree["assets/fonts/duck-sans.woff2"] = noise(48<<10, "duck sans")
	return nil
}

// duck draws a body, a head, a beak and an eye.
func duck(size int, feathers color.RGBA) ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	disc := func(x, y, rx, ry float64, c color.RGBA) {
		s := float64(size)
		for py := range size {
			for px := range size {
				dx, dy := (float64(px)/s-x)/rx, (float64(py)/s-y)/ry
				if dx*dx+dy*dy <= 1 {
					img.SetRGBA(px, py, c)
				}
			}
		}
	}
	disc(.45, .66, .36, .24, feathers)
	disc(.66, .34, .19, .19, feathers)
	disc(.88, .38, .10, .05, color.RGBA{0xe8, 0x6a, 0x17, 0xff})
	disc(.70, .29, .035, .035, color.RGBA{0x22, 0x22, 0x22, 0xff})
	return encode(img)
}

// water is a picture that does not compress away.
func water(size int) ([]byte, error) {
	random := rand.New(rand.NewChaCha8(seed("pond")))
	img := image.NewRGBA(image.Rect(0, 0, size, size/2))
	for y := range size / 2 {
		for x := range size {
			wave := uint8(random.IntN(24))
			img.SetRGBA(x, y, color.RGBA{0x20 + wave/2, 0x60 + wave, 0x6a + wave, 0xff})
		}
	}
	return encode(img)
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// noise stands for a file that is compressed already.
func noise(size int, name string) []byte {
	b := make([]byte, size)
	source := rand.NewChaCha8(seed(name))
	source.Read(b)
	return b
}

func seed(name string) (s [32]byte) {
	copy(s[:], strings.Repeat(name, 8))
	return s
}
