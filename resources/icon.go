package resources

import (
	_ "embed"

	"fyne.io/fyne/v2"
)

//go:embed icon.png
var icon []byte

// Icon returns the application's icon: a feather on its way down.
func Icon() fyne.Resource { return fyne.NewStaticResource("moult.png", icon) }
