"""x"""
import pandas as pd
def stored(): return pd.DataFrame()
