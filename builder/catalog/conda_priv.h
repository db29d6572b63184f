/* catalog/conda_priv.h - the conda catalog in parts: conda.c (names, the table of ops), conda_cands.c (records → candidates: which, and
 * their bans), conda_order.c (best first), conda_rels.c (MatchSpecs → sets and relations), conda_words.c and conda_hints.c (what people
 * read), conda_wants.c (the definition → wants), conda_lock.c (picks → artifacts), conda_link.c (their order in a prefix). */
#ifndef CATALOG_CONDA_PRIV_H
#define CATALOG_CONDA_PRIV_H

#include "base/map.h"
#include "catalog/conda.h"
#include "pkg/matchspec.h"
#include "version/conda.h"

/* A MatchSpec as somebody wrote it: there once, whoever says it. */
struct conda_says {
        sv text;
        bool parsed, has_set, has_best, best_features;
        bool plain;              /* asks for a name and a version only */
        sv bad;                  /* why it can't be used, or empty */
        struct matchspec m;      /* once parsed */
        struct conda_name *name; /* that it speaks of; NULL when bad */
        set_id set;              /* over the candidates of its name */
        const struct conda_version
                *best; /* the highest version that fits; NULL: none. best_features: only with track_features */
        struct rel *needs, *limits;
        struct conda_says *later;      /* the next limit on that name whose set is due when the name is ready */
        struct conda_says *next_known; /* the next one of that name with a set */
};

struct conda_cand {
        const struct conda_record *r;
        const struct conda_version *v; /* NULL: unparsable */
        struct conda_says **says;      /* depends, then constrains; NULL: not looked at yet */
        struct rels *rels;             /* NULL: not asked for yet */
        bool hidden;                   /* another channel supplies the name */
        bool asked;                    /* every request for its name takes it; true where there is none */
        uint8_t ban;
        sv note; /* what the ban says in detail */
};

struct conda_name { /* one name_id */
        struct name pub;
        bool is_virtual, soon, read,
                ready; /* soon: asked for; read: cand is there; ready: it is in order and pub is filled */
        struct conda_cand *cand;
        uint32_t n;
        struct conda_says *later, *known;
        struct conda_says **wanted; /* the requests for it; taken before its records are read */
        size_t n_wanted, cap_wanted;
        struct map who[2]; /* by enum rel_kind: text of a MatchSpec → struct conda_who; made at the first question */
        bool has_who;
        uint64_t tied_last; /* conda_order.c: the record that named it last, and how many in a row did */
        size_t tied_count;
};

struct catalog_conda {
        struct catalog catalog; /* first */
        struct conda_source *source;
        struct op *op;
        struct arena arena;
        struct conda_opts opts;
        struct conda_name **name; /* by id */
        size_t n_name, cap_name;
        struct map by_text;  /* text → struct conda_name */
        struct map says;     /* text → struct conda_says */
        struct map versions; /* text → struct conda_version */
        uint32_t n_rel;
        uint64_t n_tied; /* records that were looked at for names that tied ones share */
};

static inline struct catalog_conda *conda_self(struct catalog *c)
{
        return (struct catalog_conda *)c;
}

/* conda.c */
struct conda_name *conda_name_of(struct catalog_conda *c, sv text);

/* conda_cands.c */
/** Its records, in any order: what is needed to know the highest version. May wait. */
int conda_name_read(struct catalog_conda *c, struct conda_name *n, struct err *e);
/** Its candidates, best first. May wait, for names that its builds need too. */
int conda_name_ready(struct catalog_conda *c, struct conda_name *n, struct err *e);

/* conda_order.c */
int conda_order(struct catalog_conda *c, struct conda_name *n, struct err *e);

/* conda_rels.c */
/** Not parsed yet. The text is borrowed. */
struct conda_says *conda_says_of(struct catalog_conda *c, sv text);
/** False: s->bad. */
bool conda_says_parse(struct catalog_conda *c, struct conda_says *s);
/** depends and constrains of a candidate; none of them parsed. */
struct conda_says **conda_cand_says(struct catalog_conda *c, struct conda_cand *k);
/** The names that it depends on begin to come; false when it says something unreadable. */
bool conda_cand_soon(struct catalog_conda *c, struct conda_cand *k);
/** Whether a MatchSpec that was parsed takes a candidate. */
bool conda_says_takes(const struct conda_says *s, const struct conda_cand *k);
/** The highest version of its name that it takes, of those that the requests for that name take; the name is read. */
void conda_says_best(struct catalog_conda *c, struct conda_says *s);
/** Which candidates of its name it takes. May wait for them. */
int conda_says_set(struct catalog_conda *c, struct conda_says *s, set_id *ret, struct err *e);
/** The sets of limits on a name that has just become ready. */
void conda_limits_due(struct catalog_conda *c, struct conda_name *n);
int conda_rels(struct catalog *c, name_id n, uint32_t cand, struct rels *ret, struct err *e);
bool conda_known(struct catalog *c, name_id n, uint32_t cand);
set_id conda_who(struct catalog *c, name_id n, uint32_t cand, const struct rel *rel);
void conda_soon(struct catalog *c, name_id n, set_id likely, uint32_t tried);

/* conda_words.c, conda_hints.c */
const char *conda_ban_text(uint8_t ban);
void conda_words(struct catalog *c, name_id n, set_id set, struct buf *out);
void conda_cand_text(struct catalog *c, name_id n, uint32_t cand, struct buf *out);
void conda_hints(struct catalog *c, name_id n, set_id wanted, struct buf *out);

#endif
