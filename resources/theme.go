package resources

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// Names of colours beyond Fyne's own.
const (
	ColorPanel       fyne.ThemeColorName = "moult.panel"       // behind a group of related lines
	ColorPanelBorder fyne.ThemeColorName = "moult.panelBorder" // around it
	ColorSidebar     fyne.ThemeColorName = "moult.sidebar"     // behind the list of sites
	ColorTrack       fyne.ThemeColorName = "moult.track"       // the empty part of a progress bar

	ColorNeutralTint fyne.ThemeColorName = "moult.neutralTint" // behind a badge that says nothing special
	ColorNoticeTint  fyne.ThemeColorName = "moult.noticeTint"
	ColorGoodTint    fyne.ThemeColorName = "moult.goodTint"
	ColorWarningTint fyne.ThemeColorName = "moult.warningTint"
	ColorDangerTint  fyne.ThemeColorName = "moult.dangerTint"

	ColorAdded       fyne.ThemeColorName = "moult.added" // behind an added line
	ColorAddedMark   fyne.ThemeColorName = "moult.addedMark"
	ColorRemoved     fyne.ThemeColorName = "moult.removed" // behind a removed line
	ColorRemovedMark fyne.ThemeColorName = "moult.removedMark"

	ColorKeyword fyne.ThemeColorName = "moult.keyword" // of SQL
	ColorName    fyne.ThemeColorName = "moult.name"
	ColorString  fyne.ThemeColorName = "moult.string"
	ColorNumber  fyne.ThemeColorName = "moult.number"
	ColorComment fyne.ThemeColorName = "moult.comment"
)

// SizeLog is the size of a log's text. Its fixed-width font loses its underscores
// below 13 pixels.
const SizeLog fyne.ThemeSizeName = "moult.log"

// Variant chooses between light and dark.
type Variant string

// The variants. SystemVariant follows the desktop's setting.
const (
	SystemVariant Variant = ""
	Light         Variant = "light"
	Dark          Variant = "dark"
)

// Theme is Moult's look. The zero Theme follows the system's choice of light or dark.
type Theme struct{ Variant Variant }

var _ fyne.Theme = Theme{}

// Color implements [fyne.Theme].
func (t Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	i := 0
	switch {
	case t.Variant == Dark:
		i = 1
	case t.Variant == SystemVariant && variant == theme.VariantDark:
		i = 1
	}
	if pair, ok := palette[name]; ok {
		return pair[i]
	}
	return theme.DefaultTheme().Color(name, [2]fyne.ThemeVariant{theme.VariantLight, theme.VariantDark}[i])
}

// Font implements [fyne.Theme] with Fyne's own fonts. Letters that they lack, as
// Chinese ones, are taken from the system's fonts by Fyne; see [HasChinese].
func (Theme) Font(style fyne.TextStyle) fyne.Resource { return theme.DefaultTheme().Font(style) }

// Icon implements [fyne.Theme].
func (Theme) Icon(name fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(name) }

// sizes are the sizes that differ from Fyne's, in pixels at scale 1.
var sizes = map[fyne.ThemeSizeName]float32{
	theme.SizeNameText:            14,
	theme.SizeNameCaptionText:     12,
	SizeLog:                       13,
	theme.SizeNameSubHeadingText:  16,
	theme.SizeNameHeadingText:     22,
	theme.SizeNameInputRadius:     6,
	theme.SizeNameSelectionRadius: 6,
	theme.SizeNameScrollBarSmall:  4,
}

// Size implements [fyne.Theme].
func (Theme) Size(name fyne.ThemeSizeName) float32 {
	if s, ok := sizes[name]; ok {
		return s
	}
	return theme.DefaultTheme().Size(name)
}

// rgb makes an opaque colour of 0xRRGGBB.
func rgb(hex uint32) color.NRGBA { return rgba(hex, 0xff) }

func rgba(hex uint32, alpha uint8) color.NRGBA {
	return color.NRGBA{R: uint8(hex >> 16), G: uint8(hex >> 8), B: uint8(hex), A: alpha}
}

// palette holds each colour as {light, dark}.
var palette = map[fyne.ThemeColorName][2]color.NRGBA{
	theme.ColorNameBackground:          {rgb(0xf6f8f7), rgb(0x151a1b)},
	theme.ColorNameForeground:          {rgb(0x1a2421), rgb(0xe7edeb)},
	theme.ColorNamePlaceHolder:         {rgb(0x55635d), rgb(0xa4b2ac)},
	theme.ColorNameDisabled:            {rgb(0x5e6a65), rgb(0x8f9d97)},
	theme.ColorNameDisabledButton:      {rgb(0xe9eeec), rgb(0x232b2d)},
	theme.ColorNameButton:              {rgb(0xe6ecea), rgb(0x2a3436)},
	theme.ColorNamePrimary:             {rgb(0x0b6e5b), rgb(0x4cc9ab)},
	theme.ColorNameHyperlink:           {rgb(0x0b6e5b), rgb(0x5cd3b7)},
	theme.ColorNameForegroundOnPrimary: {rgb(0xffffff), rgb(0x05231c)},
	theme.ColorNameError:               {rgb(0xb3261e), rgb(0xff9a8f)},
	theme.ColorNameForegroundOnError:   {rgb(0xffffff), rgb(0x3b0805)},
	theme.ColorNameWarning:             {rgb(0x8a4b00), rgb(0xf3bb63)},
	theme.ColorNameForegroundOnWarning: {rgb(0xffffff), rgb(0x2b1a00)},
	theme.ColorNameSuccess:             {rgb(0x19713a), rgb(0x7ad594)},
	theme.ColorNameForegroundOnSuccess: {rgb(0xffffff), rgb(0x06240f)},
	theme.ColorNameFocus:               {rgba(0x0b6e5b, 0x55), rgba(0x4cc9ab, 0x66)},
	theme.ColorNameSelection:           {rgb(0xd6e9e3), rgb(0x1f3d37)},
	theme.ColorNameHover:               {rgba(0x0b3b32, 0x12), rgba(0xe7edeb, 0x14)},
	theme.ColorNamePressed:             {rgba(0x0b3b32, 0x22), rgba(0xe7edeb, 0x26)},
	theme.ColorNameInputBackground:     {rgb(0xffffff), rgb(0x101415)},
	theme.ColorNameInputBorder:         {rgb(0xb9c5c0), rgb(0x445053)},
	theme.ColorNameMenuBackground:      {rgb(0xffffff), rgb(0x1d2426)},
	theme.ColorNameOverlayBackground:   {rgb(0xffffff), rgb(0x1d2426)},
	theme.ColorNameHeaderBackground:    {rgb(0xedf1ef), rgb(0x1a2021)},
	theme.ColorNameSeparator:           {rgb(0xdbe2df), rgb(0x2d3638)},
	theme.ColorNameScrollBar:           {rgba(0x1a2421, 0x66), rgba(0xe7edeb, 0x66)},
	theme.ColorNameShadow:              {rgba(0x000000, 0x2e), rgba(0x000000, 0x66)},

	ColorPanel:       {rgb(0xffffff), rgb(0x1b2223)},
	ColorPanelBorder: {rgb(0xdbe2df), rgb(0x2d3638)},
	ColorSidebar:     {rgb(0xedf1ef), rgb(0x101415)},
	ColorTrack:       {rgb(0xdde5e2), rgb(0x2d3638)},

	ColorNeutralTint: {rgb(0xe6ecea), rgb(0x2a3436)},
	ColorNoticeTint:  {rgb(0xd9eee8), rgb(0x173b34)},
	ColorGoodTint:    {rgb(0xdcf2e2), rgb(0x17361f)},
	ColorWarningTint: {rgb(0xfdeccf), rgb(0x3d2c0c)},
	ColorDangerTint:  {rgb(0xfbe3e1), rgb(0x451a17)},

	ColorAdded:       {rgb(0xe3f5e8), rgb(0x142a1a)},
	ColorAddedMark:   {rgb(0xb3e3c1), rgb(0x22532f)},
	ColorRemoved:     {rgb(0xfdebe9), rgb(0x331a18)},
	ColorRemovedMark: {rgb(0xf7c4bf), rgb(0x6b2a25)},

	ColorKeyword: {rgb(0x7a2e8e), rgb(0xd9a2ea)},
	ColorName:    {rgb(0x1a2421), rgb(0xe7edeb)},
	ColorString:  {rgb(0x19713a), rgb(0x8fdca5)},
	ColorNumber:  {rgb(0x1a5fa8), rgb(0x8cc4ff)},
	ColorComment: {rgb(0x55635d), rgb(0xa4b2ac)},
}

// Pair is a text colour and a background that widgets put it on.
type Pair struct{ Text, Background fyne.ThemeColorName }

// Pairs lists every combination of text and background that the window uses.
func Pairs() []Pair {
	var pairs []Pair
	plain := []fyne.ThemeColorName{theme.ColorNameBackground, ColorPanel, ColorSidebar, theme.ColorNameOverlayBackground, theme.ColorNameMenuBackground, theme.ColorNameInputBackground}
	for _, text := range []fyne.ThemeColorName{
		theme.ColorNameForeground, theme.ColorNamePlaceHolder, theme.ColorNamePrimary, theme.ColorNameHyperlink,
		theme.ColorNameError, theme.ColorNameWarning, theme.ColorNameSuccess, theme.ColorNameDisabled,
		ColorKeyword, ColorName, ColorString, ColorNumber, ColorComment,
	} {
		for _, back := range plain {
			pairs = append(pairs, Pair{text, back})
		}
	}
	for _, back := range []fyne.ThemeColorName{
		theme.ColorNameButton, theme.ColorNameSelection, theme.ColorNameHeaderBackground, ColorNeutralTint,
		ColorAdded, ColorAddedMark, ColorRemoved, ColorRemovedMark,
		ColorNoticeTint, ColorGoodTint, ColorWarningTint, ColorDangerTint,
	} {
		pairs = append(pairs, Pair{theme.ColorNameForeground, back})
	}
	return append(pairs,
		Pair{theme.ColorNameForegroundOnPrimary, theme.ColorNamePrimary},
		Pair{theme.ColorNameForegroundOnError, theme.ColorNameError},
		Pair{theme.ColorNameForegroundOnWarning, theme.ColorNameWarning},
		Pair{theme.ColorNameForegroundOnSuccess, theme.ColorNameSuccess},
		Pair{theme.ColorNameDisabled, theme.ColorNameDisabledButton},
		Pair{theme.ColorNamePlaceHolder, theme.ColorNameSelection},
		Pair{theme.ColorNamePlaceHolder, ColorAdded},
		Pair{theme.ColorNamePlaceHolder, ColorRemoved},
		Pair{theme.ColorNamePlaceHolder, ColorNeutralTint},
		Pair{theme.ColorNamePrimary, ColorNoticeTint},
		Pair{theme.ColorNameSuccess, ColorGoodTint},
		Pair{theme.ColorNameWarning, ColorWarningTint},
		Pair{theme.ColorNameError, ColorDangerTint},
	)
}
