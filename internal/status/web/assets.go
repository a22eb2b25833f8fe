package web

import (
	"crypto/sha256"
	_ "embed" // the page, its style and its script
	"encoding/base64"
	"html/template"
	"strings"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	styleText string
	//go:embed page.js
	scriptText string
)

// pageTemplate makes the page of a view. html/template escapes everything that comes from one; style and script are ours.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"failed": func(stackStatus string) bool { return strings.HasSuffix(stackStatus, "_FAILED") },
	"style":  func() template.CSS { return template.CSS(styleText) }, //nolint:gosec // our own file
	"script": func() template.JS { return template.JS(scriptText) },  //nolint:gosec // our own file
}).Parse(pageText))

// hashOf is how a Content-Security-Policy names an inline text.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
