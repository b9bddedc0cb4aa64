package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// sight is the part of a widget that brings it into sight when it gets the focus,
// which Fyne's scrolled containers don't do.
type sight struct{ scroll *container.Scroll }

func (s *sight) within(scroll *container.Scroll) { s.scroll = scroll }

// sightMargin is what is shown around a widget that was brought into sight, in
// pixels at scale 1.
const sightMargin = 8

func (s *sight) bring(o fyne.CanvasObject) {
	if s.scroll == nil {
		return
	}
	d := fyne.CurrentApp().Driver()
	top := d.AbsolutePositionForObject(o).Y - d.AbsolutePositionForObject(s.scroll).Y
	below := top + o.Size().Height - s.scroll.Size().Height
	switch {
	case top < 0:
		s.scroll.ScrollToOffset(s.scroll.Offset.AddXY(0, top-sightMargin))
	case below > 0:
		s.scroll.ScrollToOffset(s.scroll.Offset.AddXY(0, below+sightMargin))
	}
}

// InSight makes every widget of this package below content scroll into sight when
// the keyboard comes to it.
func InSight(scroll *container.Scroll, content fyne.CanvasObject) {
	switch o := content.(type) {
	case interface{ within(*container.Scroll) }:
		o.within(scroll)
	case *Panel:
		InSight(scroll, o.content)
	case *container.Split:
		InSight(scroll, o.Leading)
		InSight(scroll, o.Trailing)
	case *fyne.Container:
		for _, child := range o.Objects {
			InSight(scroll, child)
		}
	}
}
