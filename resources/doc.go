// Package resources holds what the window looks like and says: the theme, the
// icon and the translations.
//
// A program calls [UseLanguage] before it builds any screen, because texts are
// looked up while screens are built, and sets [Theme] on the application:
//
//	resources.UseLanguage(resources.SystemLanguage)
//	fyneApp.Settings().SetTheme(resources.Theme{})
//
// Colours that Fyne has no name for, as the tint behind a badge or the
// background of an added line, are named here and are part of the theme, so that
// widgets ask for them like for any other colour and follow a change of theme.
// Every pair of text and background that widgets combine is listed in [Pairs]
// and has a contrast of at least 4.5 to 1.
//
// The package never reads a file outside the binary, but for the fonts of the
// system when it is asked whether one of them can write Chinese.
package resources
