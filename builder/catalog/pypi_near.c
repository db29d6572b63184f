#include "base/cleanup.h"
#include "catalog/pypi_priv.h"

/* What somebody may have meant by a name that no index has. PyPI's list of all names is 40 MB, so a short one must do: what people import
 * under another name than they install, and what is installed most. */

static const struct {
        const char *wrote, *meant;
} imported[] = {
        { "apt", "python-apt" },
        { "attr", "attrs" },
        { "bs4", "beautifulsoup4" },
        { "cairo", "pycairo" },
        { "cv2", "opencv-python-headless" },
        { "dateutil", "python-dateutil" },
        { "docx", "python-docx" },
        { "dotenv", "python-dotenv" },
        { "faiss", "faiss-cpu" },
        { "fitz", "pymupdf" },
        { "git", "gitpython" },
        { "github", "pygithub" },
        { "googleapiclient", "google-api-python-client" },
        { "grpc", "grpcio" },
        { "jose", "python-jose" },
        { "jwt", "pyjwt" },
        { "magic", "python-magic" },
        { "mpl-toolkits", "matplotlib" },
        { "mysqldb", "mysqlclient" },
        { "opencv", "opencv-python-headless" },
        { "openssl", "pyopenssl" },
        { "osgeo", "gdal" },
        { "pil", "pillow" },
        { "psycopg2-bin", "psycopg2-binary" },
        { "pytorch", "torch" },
        { "pywt", "pywavelets" },
        { "sentence-transformer", "sentence-transformers" },
        { "serial", "pyserial" },
        { "skimage", "scikit-image" },
        { "sklearn", "scikit-learn" },
        { "slugify", "python-slugify" },
        { "socks", "pysocks" },
        { "tensorflow-gpu", "tensorflow" },
        { "usb", "pyusb" },
        { "yaml", "pyyaml" },
        { "zmq", "pyzmq" },
};

static const char *const popular[] = {
        "accelerate",
        "aiohttp",
        "albumentations",
        "anyio",
        "asyncpg",
        "attrs",
        "azure-core",
        "azure-identity",
        "azure-storage-blob",
        "azureml-core",
        "azureml-mlflow",
        "beautifulsoup4",
        "bitsandbytes",
        "black",
        "boto3",
        "botocore",
        "catboost",
        "celery",
        "certifi",
        "cffi",
        "click",
        "cryptography",
        "cython",
        "dash",
        "dask",
        "datasets",
        "deepspeed",
        "diffusers",
        "django",
        "einops",
        "fastapi",
        "fastparquet",
        "flask",
        "gensim",
        "gitpython",
        "google-cloud-storage",
        "gradio",
        "grpcio",
        "gunicorn",
        "h5py",
        "httpx",
        "huggingface-hub",
        "hydra-core",
        "hypothesis",
        "idna",
        "imageio",
        "ipykernel",
        "ipython",
        "jax",
        "jinja2",
        "joblib",
        "jsonschema",
        "jupyter",
        "jupyterlab",
        "keras",
        "langchain",
        "librosa",
        "lightgbm",
        "llvmlite",
        "lxml",
        "markupsafe",
        "matplotlib",
        "mlflow",
        "msgpack",
        "mypy",
        "networkx",
        "nltk",
        "notebook",
        "numba",
        "numpy",
        "omegaconf",
        "onnx",
        "onnxruntime",
        "openai",
        "opencv-python",
        "opencv-python-headless",
        "openpyxl",
        "optuna",
        "orjson",
        "packaging",
        "pandas",
        "paramiko",
        "peft",
        "pillow",
        "pip",
        "plotly",
        "polars",
        "prometheus-client",
        "protobuf",
        "psutil",
        "psycopg2-binary",
        "pyarrow",
        "pydantic",
        "pyjwt",
        "pylint",
        "pymongo",
        "pyspark",
        "pytest",
        "python-dateutil",
        "python-dotenv",
        "pytorch-lightning",
        "pytz",
        "pyyaml",
        "pyzmq",
        "ray",
        "redis",
        "regex",
        "requests",
        "rich",
        "safetensors",
        "scikit-image",
        "scikit-learn",
        "scipy",
        "seaborn",
        "selenium",
        "sentence-transformers",
        "sentencepiece",
        "setuptools",
        "shap",
        "spacy",
        "sqlalchemy",
        "starlette",
        "statsmodels",
        "streamlit",
        "sympy",
        "tensorboard",
        "tensorflow",
        "tensorflow-cpu",
        "timm",
        "tokenizers",
        "torch",
        "torchaudio",
        "torchmetrics",
        "torchvision",
        "tornado",
        "tqdm",
        "transformers",
        "typer",
        "typing-extensions",
        "urllib3",
        "uvicorn",
        "vllm",
        "wandb",
        "websockets",
        "werkzeug",
        "wheel",
        "xarray",
        "xformers",
        "xgboost",
        "zarr",
};

static sv by_import(sv name)
{
        for (size_t i = 0; i < ARRAY_LEN(imported); i++)
                if (sv_is(name, imported[i].wrote))
                        return sv_from(imported[i].meant);
        return (sv){ 0 };
}

static void nearer(sv name, sv other, unsigned *best, sv *ret)
{
        unsigned d = sv_distance(name, other, *best);

        if (d < *best && !sv_eq(name, other)) {
                *best = d;
                *ret = other;
        }
}

static sv by_spelling(const struct catalog_pypi *p, sv name)
{
        unsigned best = name.n < 5 ? 2 : 3; /* one slip in a short name, two in a long one */
        sv found = { 0 };

        for (size_t i = 0; i < p->n_made; i++) /* the definition's other names */
                nearer(name, p->made[i].pkg->name, &best, &found);
        for (size_t i = 0; i < ARRAY_LEN(popular); i++)
                nearer(name, sv_from(popular[i]), &best, &found);
        return found;
}

sv pypi_near(struct catalog_pypi *p, sv name)
{
        AUTO(err_done) struct err e = { 0 };
        const struct pypi_page *page;
        sv near = by_import(name);

        if (!near.n)
                near = by_spelling(p, name);
        /* It is only worth saying when one of these indexes has it. */
        if (!near.n || p->source->ops->page(p->source, near, &page, &e) < 0 || page->absent)
                return (sv){ 0 };
        return near;
}
