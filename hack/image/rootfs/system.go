package rootfs

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// writeSystem writes what a program expects of a system: authorities to trust, time zones, a user with a home, a folder for
// temporary files. Nothing of it comes from the machine that builds, whose own files are another machine's tomorrow.
func writeSystem(ctx context.Context, dir string) error {
	zones, err := zoneArchive(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		writeFile(filepath.Join(dir, "etc", "passwd"), []byte("nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n")),
		writeFile(filepath.Join(dir, "etc", "group"), []byte("nonroot:x:65532:\n")),
		writeFile(filepath.Join(dir, "etc", "ssl", "certs", "ca-certificates.crt"), authorities()),
		unpackZones(zones, filepath.Join(dir, "usr", "share", "zoneinfo")),
		makeFolder(filepath.Join(dir, "home", "nonroot"), folderMode),
		makeFolder(filepath.Join(dir, "tmp"), os.ModeSticky|os.ModePerm),
	)
}

// authorities are Mozilla's, as the Go project publishes them, in PEM form. Those that are trusted with a restriction only are left
// out: a file of certificates can't say it.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a Buffer takes everything
		}
	}
	return text.Bytes()
}

// zoneArchive is the path of the time zones that belong to the Go that builds.
func zoneArchive(ctx context.Context) (string, error) {
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOROOT: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(root)), "lib", "time", "zoneinfo.zip"), nil
}

func unpackZones(archive, dir string) error {
	reader, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("time zones of Go: %w", err)
	}
	defer reader.Close()
	for _, file := range reader.File {
		if strings.HasSuffix(file.Name, "/") {
			continue
		}
		if !filepath.IsLocal(file.Name) {
			return fmt.Errorf("%s: %q leads out of the archive", archive, file.Name)
		}
		text, err := unpack(file)
		if err != nil {
			return fmt.Errorf("%s: %s: %w", archive, file.Name, err)
		}
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(file.Name)), text); err != nil {
			return err
		}
	}
	return nil
}

func unpack(file *zip.File) ([]byte, error) {
	content, err := file.Open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return io.ReadAll(content)
}
