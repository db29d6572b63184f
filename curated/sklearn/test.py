"""What sklearn promises: train a model, keep it with skops, read it again, get the same answers."""
import joblib
import numpy
import pandas
import scipy.sparse
import skops.io
import sklearn
import threadpoolctl
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

x, y = load_iris(return_X_y=True, as_frame=True)
assert isinstance(x, pandas.DataFrame) and len(x) == 150
assert cross_val_score(LogisticRegression(max_iter=1000), x, y, n_jobs=2).mean() > 0.9
model = LogisticRegression(max_iter=1000).fit(scipy.sparse.csr_matrix(x.to_numpy()), y)
again = skops.io.loads(skops.io.dumps(model), trusted=[])
assert numpy.array_equal(again.predict(x.to_numpy()), model.predict(x.to_numpy()))
assert any(pool["user_api"] == "blas" for pool in threadpoolctl.threadpool_info())
print("sklearn:", sklearn.__version__, "numpy", numpy.__version__, "joblib", joblib.__version__)
