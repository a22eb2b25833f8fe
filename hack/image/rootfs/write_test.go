package rootfs

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/stretchr/testify/require"
)

// source makes a module with a program in the folder of each of ours.
func source(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"go.mod": "module example.org/" + module + "\n\ngo 1.26.0\n", "LICENSE": "do what you like\n"}
	for _, folder := range packages {
		files[filepath.Join(folder, "main.go")] = "package main\n\nfunc main() { println(\"" + folder + "\") }\n"
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

// describe lists all files of a folder with what they are.
func describe(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		what := info.Mode().String()
		if !entry.IsDir() {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			sum := sha256.Sum256(text)
			what += " " + hex.EncodeToString(sum[:])
		}
		name, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		out[name] = what
		return nil
	}))
	return out
}

// The files are the same wherever and by whomever they are made, and hold what a program needs.
func TestWrite(t *testing.T) {
	options := Options{Arch: "amd64", Version: "v9.8.7", Created: time.Unix(1700000000, 0)}
	var made []map[string]string
	var dir string
	for _, mask := range []int{0o022, 0o077} {
		options.Source, dir = source(t), filepath.Join(t.TempDir(), "files")
		require.NoError(t, os.MkdirAll(dir, 0o700))
		old := syscall.Umask(mask)
		err := Write(t.Context(), dir, options)
		syscall.Umask(old)
		require.NoError(t, err)
		made = append(made, describe(t, filepath.Join(dir, System)), describe(t, filepath.Join(dir, Programs)))
	}
	delete(made[0], ".")
	delete(made[2], ".")
	require.Equal(t, made[0], made[2])
	require.Equal(t, made[1], made[3])
	require.Equal(t, "dtrwxrwxrwx", made[0]["tmp"])
	require.Equal(t, "drwxr-xr-x", made[0]["etc/ssl"])
	require.True(t, strings.HasPrefix(made[1][module], "-rwxr-xr-x "), made[1][module])

	text, err := os.ReadFile(filepath.Join(dir, System, "etc/ssl/certs/ca-certificates.crt"))
	require.NoError(t, err)
	require.Greater(t, strings.Count(string(text), "BEGIN CERTIFICATE"), 100)
	require.True(t, x509.NewCertPool().AppendCertsFromPEM(text))
	zone, err := os.ReadFile(filepath.Join(dir, System, "usr/share/zoneinfo/Europe/Berlin"))
	require.NoError(t, err)
	berlin, err := time.LoadLocationFromTZData("Europe/Berlin", zone)
	require.NoError(t, err)
	require.Equal(t, "CEST", time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC).In(berlin).Format("MST"))
	for _, name := range ProgramNames() {
		requireBill(t, filepath.Join(dir, Programs, filepath.FromSlash(BillPath(name))), name)
	}
}

func requireBill(t *testing.T, path, program string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var bill struct {
		SerialNumber string
		Metadata     struct {
			Timestamp  string
			Component  struct{ Name, Version string }
			Properties []struct{ Name, Value string }
		}
		Components []struct{ Name, Version string }
	}
	require.NoError(t, json.Unmarshal(text, &bill))
	require.Equal(t, "example.org/"+module, bill.Metadata.Component.Name)
	require.Equal(t, "v9.8.7", bill.Metadata.Component.Version)
	require.Equal(t, "2023-11-14T22:13:20Z", bill.Metadata.Timestamp)
	require.Len(t, bill.Components, 1)
	require.Equal(t, "std", bill.Components[0].Name)
	require.Contains(t, fmt.Sprint(bill.Metadata.Properties), "{cdx:gomod:binary:name "+program+"}")
	require.True(t, strings.HasPrefix(bill.SerialNumber, "urn:uuid:"))
}

func TestWriteSaysWhatDoesNotBuild(t *testing.T) {
	broken := source(t)
	require.NoError(t, os.WriteFile(filepath.Join(broken, "main.go"), []byte("package main\n\nfunc main() { nonsense() }\n"), 0o600))
	err := Write(t.Context(), t.TempDir(), Options{Source: broken, Arch: "amd64"})
	require.ErrorContains(t, err, "build "+module+" for amd64")
	require.ErrorContains(t, err, "undefined: nonsense")
}

// docker does not see files that .dockerignore names. All that is compiled has to be there.
func TestDockerSeesTheSources(t *testing.T) {
	const root = "../../.."
	file, err := os.Open(filepath.Join(root, ".dockerignore"))
	require.NoError(t, err)
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	require.NoError(t, err)
	ignored, err := patternmatcher.New(patterns)
	require.NoError(t, err)

	const format = `{{$d := .Dir}}{{if .Module}}{{if .Module.Main}}{{range .GoFiles}}{{$d}}/{{.}}
{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}
{{end}}{{end}}{{end}}`
	list := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-tags=externalgrpc", "-f=" + format}, asPaths()...)...)
	list.Dir, list.Env = root, append(os.Environ(), "GOFLAGS=", "CGO_ENABLED=0")
	ours := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f="+format, "..")
	ours.Env = list.Env
	files := []string{"LICENSE", "go.mod", "go.sum", "hack/image/go.mod", "hack/image/go.sum"}
	top, err := filepath.Abs(root)
	require.NoError(t, err)
	for _, command := range []*exec.Cmd{list, ours} {
		out, err := command.Output()
		require.NoError(t, err)
		for path := range strings.FieldsSeq(string(out)) {
			name, err := filepath.Rel(top, path)
			require.NoError(t, err)
			files = append(files, name)
		}
	}
	require.Greater(t, len(files), 100)
	for _, name := range files {
		hidden, err := ignored.MatchesOrParentMatches(name)
		require.NoError(t, err)
		require.False(t, hidden, ".dockerignore hides %s", name)
	}
	for _, name := range []string{".git/config", "bin/demo", "test/lab/run", "heatstack/stack_test.go", "README.md"} {
		hidden, err := ignored.MatchesOrParentMatches(name)
		require.NoError(t, err)
		require.True(t, hidden, ".dockerignore lets %s through", name)
	}
}

func asPaths() []string {
	var out []string
	for _, folder := range packages {
		out = append(out, "./"+folder)
	}
	return out
}
