package archive

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// layer packs a folder into the file path, from which the layer is read as long as it is used. The folder's files belong to root and
// are of this time, whoever has made them and when.
func layer(folder, path string, created time.Time) (v1.Layer, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	packed := gzip.NewWriter(file)
	if err := errors.Join(pack(folder, packed, created), packed.Close(), file.Close()); err != nil {
		return nil, fmt.Errorf("pack %s: %w", folder, err)
	}
	return tarball.LayerFromFile(path, tarball.WithMediaType(types.OCILayer))
}

// pack writes the folder's content as a tar file. Folders are walked in the order of their names.
func pack(folder string, out io.Writer, created time.Time) error {
	writer := tar.NewWriter(out)
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return add(writer, path, filepath.ToSlash(name), info, created)
	})
	return errors.Join(err, writer.Close())
}

// add adds a file or a folder; nothing else is in an image.
func add(writer *tar.Writer, path, name string, info fs.FileInfo, created time.Time) error {
	header := &tar.Header{Name: name, Mode: int64(info.Mode().Perm()), ModTime: created, Format: tar.FormatUSTAR}
	if info.Mode()&fs.ModeSticky != 0 {
		header.Mode |= 0o1000
	}
	switch {
	case info.IsDir():
		header.Typeflag, header.Name = tar.TypeDir, name+"/"
		return writer.WriteHeader(header)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is neither a file nor a folder", path)
	}
	header.Typeflag, header.Size = tar.TypeReg, info.Size()
	if err := writer.WriteHeader(header); err != nil {
		return err
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(writer, file)
	return err
}
