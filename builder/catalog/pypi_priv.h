/* catalog/pypi_priv.h - the PyPI catalog in parts: pypi.c (names, the table of ops), pypi_cands.c (page → candidates), pypi_rels.c
 * (METADATA → relations), pypi_ahead.c (what will probably be asked), pypi_url.c (when two URLs are one), pypi_text.c (what people
 * read), pypi_wants.c (the definition → wants), pypi_lock.c (picks → artifacts). */
#ifndef CATALOG_PYPI_PRIV_H
#define CATALOG_PYPI_PRIV_H

#include "base/map.h"
#include "catalog/pypi.h"
#include "pkg/marker.h"
#include "pkg/requirement.h"
#include "version/pep440.h"

/* What the metadata of one version says. */
struct dist {
        struct requirement *req;
        sv *text; /* of each, normalised, without its marker */
        size_t n;
        sv *extra; /* provided ones, normalised */
        size_t n_extra;
};

struct version { /* one candidate */
        const struct pep440 *v;
        const struct pypi_file
                *file;           /* the wheel that would be installed; of a banned one, the file that came nearest */
        sv note;                 /* what the ban's reason says in detail, or empty */
        const struct dist *dist; /* once read */
        bool read;
        uint8_t fault; /* enum cand_ban found by reading: becomes cand.ban when rels() was asked, never before */
        bool direct;   /* a URL requirement's */
        sv wrote;      /* then: the URL as written */
        sv identity;   /* of that URL */
};

struct known_set { /* how somebody wrote a set: what text() prints when it is asked for the same one */
        set_id set;
        sv spec;
};

struct pkg {     /* one project */
        sv name; /* normalised */
        bool loaded;
        const struct pypi_page *page;
        const struct pypi_fixed *fixed; /* conda's: neither page nor URLs count */
        bool fixed_read;                /* its METADATA was asked for */
        struct cand *cand;
        struct version *ver;
        uint32_t n;
        sv *url; /* URL requirements: they replace the index */
        size_t n_url, cap_url;
        const struct spec_hash *hash; /* allowed ones, of the definition */
        size_t n_hash;
        bool no_binary;
        struct map spec_set; /* text of a specifier → &known_set */
        struct known_set *known;
        size_t n_known, cap_known;
        struct entry *entry; /* foo, foo[x]…: chained by next */
        bool ahead;          /* pypi_ahead.c looks after it, or did */
};

struct entry { /* one name_id */
        struct name name;
        struct pkg *pkg;
        sv extra; /* normalised; empty for the project itself */
        name_id id;
        struct rels **rels; /* by candidate, NULL: not known */
        struct entry *next;
};

struct rel_key {
        uint8_t kind, opens;
        name_id name;
        set_id set;
};

struct made_want { /* what pypi_wants returned: sets change with candidates, so they are made again then */
        struct resolve_want *want;
        struct term *term;
        const struct requirement *req;
        struct pkg *pkg;
        sv by;
};

struct ahead { /* on its way */
        struct pkg *pkg;
        const struct pep440_spec *spec; /* of whoever needs it; NULL: any */
        const sv *extra;
        size_t n_extra;
        uint32_t cand; /* whose metadata was asked for, UINT32_MAX: none yet */
};

struct catalog_pypi {
        struct catalog catalog; /* first */
        struct pypi_source *source;
        struct op *op;
        struct arena arena;
        struct pypi_opts opts;
        struct tags tags;
        struct marker_env env;
        const struct pep440 *python;
        struct map requires_python; /* text → &yes or &no */
        struct map pkgs;            /* name → struct pkg */
        struct map by_text;         /* "foo[x]" → struct entry */
        struct entry **entry;       /* by id */
        size_t n_entry, cap_entry;
        uint32_t next_rel;
        struct map rel_ids; /* bytes of a rel_key → uint32_t */
        struct made_want *made;
        size_t n_made, cap_made;
        bool hashes_only; /* a hash anywhere: everything needs one */
        bool no_binary_all;
        struct ahead *ahead;
        size_t n_ahead, cap_ahead, ahead_begun;
};

static inline struct catalog_pypi *pypi_self(struct catalog *c)
{
        return (struct catalog_pypi *)c;
}

/* pypi.c */
struct pkg *pypi_pkg(struct catalog_pypi *p, sv name);
struct entry *pypi_entry(struct catalog_pypi *p, struct pkg *pkg, sv extra);
/** Candidates of a project: its page, waiting for it, or its URL requirements. */
int pypi_pkg_load(struct catalog_pypi *p, struct pkg *pkg, struct err *e);
bool pypi_pkg_ready(struct catalog_pypi *p, struct pkg *pkg);

/* pypi_cands.c */
void pypi_cands_make(struct catalog_pypi *p, struct pkg *pkg);
/** A URL requirement: true when it is new, so that the candidates are others now. False with *ret_why when it cannot be used. */
bool pypi_url_add(struct catalog_pypi *p, struct pkg *pkg, sv url, bool *ret_new, sv *ret_why);
bool pypi_python_fits(struct catalog_pypi *p, sv requires_python);

/* pypi_url.c */
/** What makes two URLs name the same file, as pip sees it: the parts of query and fragment in any order, without egg=. */
sv pypi_url_identity(struct arena *a, sv url);

/* pypi_fixed.c */
void pypi_fixed_take(struct catalog_pypi *p);
void pypi_fixed_cands(struct catalog_pypi *p, struct pkg *pkg);
/** Its requirements, for an extra of it. */
int pypi_fixed_read(struct catalog_pypi *p, struct pkg *pkg, struct err *e);
void pypi_fixed_hint(const struct pkg *pkg, struct buf *out);

/* pypi_rels.c */
/** What a METADATA says → v->dist, or v->fault. */
void pypi_read_text(struct catalog_pypi *p, struct pkg *pkg, struct version *v, sv text);
/** Read the metadata of a candidate once. 0 also when it is unusable (ver->fault). */
int pypi_read(struct catalog_pypi *p, struct pkg *pkg, uint32_t cand, struct err *e);
set_id pypi_req_set(struct catalog_pypi *p, struct pkg *pkg, const struct requirement *r);
uint8_t pypi_req_opens(const struct requirement *r);
uint32_t pypi_rel_id(struct catalog_pypi *p, uint8_t kind, uint8_t opens, name_id name, set_id set);
bool pypi_req_active(struct catalog_pypi *p, const struct requirement *r, sv extra);
int pypi_rels(struct catalog *c, name_id n, uint32_t cand, struct rels *ret, struct err *e);
bool pypi_known(struct catalog *c, name_id n, uint32_t cand);
/** A requirement's text without its marker: "flask[async]>=2". */
sv pypi_req_text(struct catalog_pypi *p, const struct requirement *r);
/** Candidates of pkg changed: forget what was made of the old ones, make the wants anew. */
int pypi_changed(struct catalog_pypi *p, struct err *e);
bool pypi_has_extra(const struct dist *d, sv extra);

/* pypi_ahead.c */
void pypi_ahead_add(struct catalog_pypi *p, struct pkg *pkg, const struct requirement *r);
void pypi_ahead_pump(struct catalog_pypi *p);
void pypi_soon(struct catalog *c, name_id n, set_id likely, uint32_t tried);

/* pypi_text.c */
void pypi_text(struct catalog *c, name_id n, set_id set, struct buf *out);
void pypi_cand_text(struct catalog *c, name_id n, uint32_t cand, struct buf *out);
void pypi_hints(struct catalog *c, name_id n, set_id wanted, struct buf *out);

/* pypi_near.c */
/** The name that may have been meant by one that no index has; or empty. Static or in the arena. */
sv pypi_near(struct catalog_pypi *p, sv name);

/* pypi_wants.c */
int pypi_want_set(struct catalog_pypi *p, struct made_want *m, struct err *e);

#endif
