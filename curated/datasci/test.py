"""What datasci promises: a table goes through every library and comes out as a plot."""
import io

import duckdb
import ipykernel
import matplotlib
import matplotlib.pyplot as plt
import numpy
import pandas
import plotly.express
import polars
import pyarrow.parquet
import requests
import scipy.stats
import seaborn
import sklearn.linear_model
import statsmodels.api
import tqdm
import yaml

rng = numpy.random.default_rng(1)
frame = pandas.DataFrame({"x": numpy.arange(100.0), "y": 2 * numpy.arange(100.0) + rng.normal(size=100)})
parquet = io.BytesIO()
frame.to_parquet(parquet)
parquet.seek(0)
table = pyarrow.parquet.read_table(parquet)
assert table.num_rows == polars.from_arrow(table).height == duckdb.sql("select count(*) from frame").fetchall()[0][0] == 100
slope = sklearn.linear_model.LinearRegression().fit(frame[["x"]], frame["y"]).coef_[0]
assert abs(slope - scipy.stats.linregress(frame["x"], frame["y"]).slope) < 1e-9
assert abs(slope - statsmodels.api.OLS(frame["y"], statsmodels.api.add_constant(frame["x"])).fit().params["x"]) < 1e-9
assert matplotlib.get_backend() == "agg"
picture = io.BytesIO()
seaborn.scatterplot(frame, x="x", y="y")
plt.savefig(picture)
assert picture.getvalue().startswith(b"\x89PNG")
assert plotly.express.scatter(frame, x="x", y="y").to_json()
assert yaml.safe_load("a: [1]") == {"a": [1]} and requests.__version__ and tqdm.__version__
print("datasci: pandas", pandas.__version__, "polars", polars.__version__, "ipykernel", ipykernel.__version__)
