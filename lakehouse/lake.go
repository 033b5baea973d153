package lakehouse

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	sqlcatalog "github.com/apache/iceberg-go/catalog/sql"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"
	_ "modernc.org/sqlite" // the driver of the embedded catalog, without cgo

	"github.com/spillway-go/spillway/internal/fault"
)

// The defaults of a Config.
const (
	DefaultName      = "spillway"
	DefaultWarehouse = "./.spillway/lake"
	catalogFile      = "catalog.db"
)

// Config says where a lake is.
type Config struct {
	// Name is the catalog's name. The catalog keeps it beside every table, so other engines must open it by the same
	// name. The default is "spillway".
	Name string
	// URI is the catalog: the path of an SQLite file, with or without "sqlite:" before it. The default is catalog.db
	// in the warehouse.
	URI string
	// Warehouse is the folder that holds the tables' files. The default is ./.spillway/lake.
	Warehouse string
	// Props are further properties of the catalog, by Iceberg's names for them.
	Props map[string]string
}

// busyTimeout is how long a commit waits for that of another process. It is a variable for tests.
var busyTimeout = 10 * time.Second

// Lake is an open catalog with its warehouse. Its methods may be called from several goroutines.
type Lake struct {
	cat       catalog.Catalog
	fs        storage
	db        *sql.DB
	limits    limits
	warehouse string // an absolute path
	uri       string // the absolute path of the catalog's file
}

// Open opens the lake, and creates an empty one where there is none. The errors are faults: a warehouse that cannot be
// written, a catalog that is no SQLite database or belongs to a kind that is not supported.
func Open(ctx context.Context, cfg Config) (*Lake, error) {
	l := &Lake{fs: durable{}, limits: defaultLimits}
	if err := l.place(&cfg); err != nil {
		return nil, err
	}
	keepFilesDurable()
	var err error
	if l.db, err = sql.Open("sqlite", l.dsn()); err != nil {
		return nil, l.explain(l.catalogName(), err)
	}
	if err := l.db.PingContext(ctx); err != nil {
		l.db.Close()
		return nil, l.explain(l.catalogName(), err)
	}
	props := iceberg.Properties{}
	maps.Copy(props, cfg.Props)
	props["warehouse"] = fileURL(l.warehouse)
	if l.cat, err = sqlcatalog.NewCatalog(cfg.Name, l.db, sqlcatalog.SQLite, props); err != nil {
		l.db.Close()
		return nil, l.explain(l.catalogName(), err)
	}
	return l, nil
}

// place fills the defaults in, makes the paths absolute and sees that the warehouse can be written.
func (l *Lake) place(cfg *Config) error {
	if cfg.Name == "" {
		cfg.Name = DefaultName
	}
	if cfg.Warehouse == "" {
		cfg.Warehouse = DefaultWarehouse
	}
	if strings.Contains(cfg.Warehouse, "://") {
		return fault.New("warehouse "+cfg.Warehouse, "is not a folder", "name a folder of this machine")
	}
	var err error
	if l.warehouse, err = filepath.Abs(cfg.Warehouse); err != nil {
		return fault.Wrap(err, "warehouse "+cfg.Warehouse, "has no absolute path", "name an existing folder")
	}
	l.uri = strings.TrimPrefix(cfg.URI, "sqlite:")
	switch {
	case l.uri == "":
		l.uri = filepath.Join(l.warehouse, catalogFile)
	case strings.Contains(l.uri, "://"):
		scheme, _, _ := strings.Cut(l.uri, "://")
		return fault.New("catalog", fmt.Sprintf("%q is of a kind that is not supported", scheme+"://"),
			"name the path of an SQLite file, or nothing for "+catalogFile+" in the warehouse")
	}
	if l.uri, err = filepath.Abs(l.uri); err != nil {
		return fault.Wrap(err, "catalog", "has no absolute path", "name an existing folder")
	}
	if err := makeFolder(l.warehouse); err != nil {
		return l.explain("warehouse "+l.warehouse, err)
	}
	probe, err := os.CreateTemp(l.warehouse, ".probe-*")
	if err != nil {
		return l.explain("warehouse "+l.warehouse, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// dsn opens the catalog so that several processes can share it: readers do not block the writer, a writer waits for
// another, and a commit is on the disk when it returns.
func (l *Lake) dsn() string {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: l.uri}).EscapedPath()}
	u.RawQuery = fmt.Sprintf("_pragma=busy_timeout(%d)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)",
		busyTimeout.Milliseconds())
	return u.String()
}

// Close lets the catalog go. What was committed stays.
func (l *Lake) Close() error { return l.db.Close() }

// Warehouse is the absolute path of the folder that holds the tables.
func (l *Lake) Warehouse() string { return l.warehouse }

// CatalogPath is the absolute path of the catalog's SQLite file.
func (l *Lake) CatalogPath() string { return l.uri }

func (l *Lake) catalogName() string { return "catalog " + l.uri }

// load reads the newest state of a table, bound to this lake's files and to its way of committing.
func (l *Lake) load(ctx context.Context, id table.Identifier) (*table.Table, error) {
	t, err := l.cat.LoadTable(ctx, id)
	if err != nil {
		return nil, err
	}
	fs := func(context.Context) (iceio.IO, error) { return l.fs, nil }
	return table.New(id, t.Metadata(), t.MetadataLocation(), fs, guard{l}), nil
}

// open is the table of that name and layout for reading; one that is missing is a fault that tells which there are.
func (l *Lake) open(ctx context.Context, id table.Identifier, kind string) (*Table, error) {
	thing := "table " + strings.Join(id, ".")
	tbl, err := l.load(ctx, id)
	if errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace) {
		return nil, fault.Wrap(err, thing, "is not in the lake", l.known(ctx, id[0]))
	}
	if err != nil {
		return nil, l.explain(thing, err)
	}
	if got := tbl.Properties()[propKind]; got != kind {
		return nil, notOurs(thing, kind, got)
	}
	return &Table{lake: l, id: id, thing: thing, timeColumn: tbl.Properties()[propTime]}, nil
}

// known is the remedy for a missing table: which command fills it, and the names that there are.
func (l *Lake) known(ctx context.Context, namespace string) string {
	how := "run archive first"
	if namespace == featureNamespace {
		how = "run batch first"
	}
	var names []string
	for id, err := range l.cat.ListTables(ctx, table.Identifier{namespace}) {
		if err != nil {
			break
		}
		names = append(names, strings.Join(id, "."))
	}
	if len(names) == 0 {
		return how + "; the lake holds no table in " + namespace
	}
	sort.Strings(names)
	return how + ", or use one that there is: " + strings.Join(names, ", ")
}

// ensureNamespace creates the namespace; it is no error if another was faster.
func (l *Lake) ensureNamespace(ctx context.Context, name string) error {
	err := l.cat.CreateNamespace(ctx, table.Identifier{name}, nil)
	if err == nil || errors.Is(err, catalog.ErrNamespaceAlreadyExists) {
		return nil
	}
	if ok, e := l.cat.CheckNamespaceExists(ctx, table.Identifier{name}); e == nil && ok {
		return nil
	}
	return l.explain(l.catalogName(), err)
}
