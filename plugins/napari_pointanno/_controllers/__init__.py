"""What connects models and views and owns the work behind them."""
