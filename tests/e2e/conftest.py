def pytest_configure(config):
    config.addinivalue_line("markers", "full: downloads and takes long; run by hand")
